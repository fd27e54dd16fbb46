// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.clients;

import java.util.List;
import org.junit.jupiter.api.Tag;

/** The libraries of the JVM over TLS, as a user. */
@Tag("long")
class SecuredJvmLibrariesTest extends SecuredLibraries {
  @Override
  List<Library> connect(Seed seed) {
    return JvmLibrariesTest.all(seed);
  }
}
