// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.tls;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.ssl.SslProvider;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Has the tests of a class go through the JDK's own TLS: what there is without native code. */
public final class JdkTls implements BeforeAllCallback, AfterAllCallback {
  @Override
  public void beforeAll(ExtensionContext testClass) {
    System.setProperty(Engine.NO_OPENSSL, "true");
    assertThat(Engine.provider()).isEqualTo(SslProvider.JDK);
  }

  @Override
  public void afterAll(ExtensionContext testClass) {
    System.clearProperty(Engine.NO_OPENSSL);
  }
}
