// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataFolderTest {
  @TempDir Path parent;

  @Test
  void isMadeForItsUserAlone() throws Exception {
    Path path = parent.resolve("data/5000");
    try (DataFolder folder = DataFolder.open(path)) {
      assertThat(folder.path()).isEqualTo(path);
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
          .isEqualTo("rwx------");
    }
  }

  @Test
  void anOlderWiderModeIsNarrowed() throws Exception {
    Path path = parent.resolve("data");
    DataFolder.open(path).close();
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
    try (DataFolder folder = DataFolder.open(path)) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.path())))
          .isEqualTo("rwx------");
    }
  }

  @Test
  void isHeldByOneAtATime() throws Exception {
    Path path = parent.resolve("data");
    try (DataFolder first = DataFolder.open(path)) {
      assertThatThrownBy(() -> DataFolder.open(first.path()))
          .isInstanceOf(StartException.class)
          .hasMessageContaining(path.toString())
          .hasMessageContaining("process " + ProcessHandle.current().pid())
          .hasMessageContaining("another --data");
    }
    DataFolder.open(path).close();
  }

  @Test
  void aFolderOfSomethingElseIsRefusedAndLeftAsItIs() throws Exception {
    Files.writeString(parent.resolve("holiday.jpg"), "x");
    var before = Files.getPosixFilePermissions(parent);

    assertThatThrownBy(() -> DataFolder.open(parent))
        .isInstanceOf(StartException.class)
        .hasMessageContaining("never a node's");

    assertThat(Files.getPosixFilePermissions(parent)).isEqualTo(before);
    assertThat(parent.resolve("lock")).doesNotExist();
  }

  @Test
  void aFileIsNoFolder() throws Exception {
    Path file = Files.writeString(parent.resolve("file"), "x");
    assertThatThrownBy(() -> DataFolder.open(file))
        .isInstanceOf(StartException.class)
        .hasMessageContaining("is a file");
    assertThatThrownBy(() -> DataFolder.open(file.resolve("below")))
        .isInstanceOf(StartException.class)
        .hasMessageContaining("another --data");
  }
}
