// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.tls;

import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.OpenSslCertificateException;
import java.nio.channels.ClosedChannelException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import javax.net.ssl.SSLException;

/**
 * Why a handshake failed, for a person. The two engines and the JDK's check of certificates wrap
 * their reasons differently; the innermost one that says something is taken.
 */
public final class Reason {
  private Reason() {}

  /** Whether a connection failed in TLS rather than below it. */
  public static boolean isOfTls(Throwable cause) {
    return cause instanceof SSLException
        || (cause instanceof DecoderException && cause.getCause() instanceof SSLException);
  }

  /** In one line. */
  public static String of(Throwable failure) {
    String said = "";
    for (Throwable cause = failure; cause != null; cause = next(cause)) {
      if (cause instanceof CertificateExpiredException) {
        return "its certificate has expired: " + cause.getMessage();
      }
      if (cause instanceof CertificateNotYetValidException) {
        return "its certificate is not valid yet: " + cause.getMessage();
      }
      if (cause instanceof OpenSslCertificateException) {
        return cause.getMessage();
      }
      if (cause.getMessage() != null) {
        said = cause.getMessage();
      }
      if (cause instanceof CertificateException && cause.getCause() == null) {
        return "its certificate is not trusted: " + cause.getMessage();
      }
    }
    if (failure instanceof ClosedChannelException) {
      return "it closed the connection during the handshake";
    }
    return plain(said.isEmpty() ? String.valueOf(failure) : said);
  }

  /** Of what the other end's alert means, in both engines' words. */
  private static String plain(String text) {
    String lower = text.toLowerCase(java.util.Locale.ROOT).replace('_', ' ');
    if (lower.contains("unable to find valid certification path")
        || lower.contains("path does not chain")) {
      return "its certificate is not trusted: no CA of this node's has signed it";
    }
    if (lower.contains("certificate required")
        || lower.contains("peer did not return a certificate")
        || lower.contains("empty client certificate chain")) {
      return "a certificate is required, and none was shown (" + text + ")";
    }
    if (lower.contains("received fatal alert") || lower.contains("alert")) {
      return "the other end refused: " + text;
    }
    return text;
  }

  private static Throwable next(Throwable cause) {
    return cause.getCause() == cause ? null : cause.getCause();
  }
}
