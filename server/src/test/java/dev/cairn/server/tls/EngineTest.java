// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.tls;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslProvider;
import org.junit.jupiter.api.Test;

class EngineTest {
  @Test
  void nativeCodeDoesTheWorkWhereThereIsSome() {
    assertThat(Engine.provider())
        .isEqualTo(OpenSsl.isAvailable() ? SslProvider.OPENSSL : SslProvider.JDK);
  }
}
