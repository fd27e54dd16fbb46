// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class NodeUrlsTest {
  private static NodeUrls urls(String addresses, boolean tls, String user, String password) {
    return new NodeUrls(addresses, tls, Optional.ofNullable(user), Optional.ofNullable(password));
  }

  @Test
  void addressesAndUrlsAreReadAlike() {
    assertThat(NodeUrls.of("a:1, b:2")).isEqualTo(urls("a:1,b:2", false, null, null));
    assertThat(NodeUrls.of("redis://a:1")).isEqualTo(urls("a:1", false, null, null));
    assertThat(NodeUrls.of("rediss://ada@a:1,b:2/0")).isEqualTo(urls("a:1,b:2", true, "ada", null));
    assertThat(NodeUrls.of("rediss://ada:p%40ss+@[::1]:1"))
        .isEqualTo(urls("[::1]:1", true, "ada", "p@ss+"));
    assertThat(NodeUrls.of("redis://:secret@a:1")).isEqualTo(urls("a:1", false, null, "secret"));
  }

  @Test
  void whatIsNoneIsLeftForTheReaderOfAddresses() {
    assertThat(NodeUrls.of("http://a:1").addresses()).isEqualTo("http://a:1");
    assertThat(NodeUrls.of("").addresses()).isEmpty();
  }
}
