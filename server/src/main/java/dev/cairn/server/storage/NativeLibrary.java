// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.rocksdb.RocksDB;
import org.rocksdb.util.Environment;

/**
 * RocksDB's native library as a file. From its jar each process would unpack a copy of its own into
 * the temporary folder (17 MB), which stays there when the process is killed; from a folder of
 * {@code java.library.path} it is loaded as it is.
 */
public final class NativeLibrary {
  private NativeLibrary() {}

  /**
   * Unpacks the library for this operating system and processor.
   *
   * @param folder exists; a file of the same name in it is replaced
   * @throws IOException when RocksDB's jar has none for this machine, or it cannot be written
   */
  public static void unpack(Path folder) throws IOException {
    String name = Environment.getJniLibraryFileName("rocksdb");
    try (InputStream library = RocksDB.class.getResourceAsStream("/" + name)) {
      if (library == null) {
        throw new FileNotFoundException("RocksDB's jar has no " + name);
      }
      Files.copy(library, folder.resolve(name), StandardCopyOption.REPLACE_EXISTING);
    }
  }
}
