// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The console's files, as a browser asks for them. */
final class StaticFilesTest {
  private final StaticFiles files = new StaticFiles();

  private static HttpHeaders asking(String... namesAndValues) {
    HttpHeaders headers = new DefaultHttpHeaders();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      headers.add(namesAndValues[i], namesAndValues[i + 1]);
    }
    return headers;
  }

  @Test
  void aFileHasItsTypeAndIsAskedForAgain() {
    HttpAnswer answer = files.answer("static/words.js", asking());

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.contentType()).isEqualTo("text/javascript; charset=utf-8");
    assertThat(new String(answer.body(), StandardCharsets.UTF_8)).startsWith("export const words");
    assertThat(answer.headers())
        .containsEntry("Cache-Control", "no-cache")
        .containsEntry("Vary", "Accept-Encoding")
        .doesNotContainKey("Content-Encoding");
  }

  @Test
  void whatIsShorterPackedIsSentPackedToWhoTakesIt() throws IOException {
    HttpAnswer packed =
        files.answer("static/words.js", asking("Accept-Encoding", "br, gzip;q=0.5"));

    assertThat(packed.headers()).containsEntry("Content-Encoding", "gzip");
    assertThat(new GZIPInputStream(new ByteArrayInputStream(packed.body())).readAllBytes())
        .isEqualTo(files.answer("static/words.js", asking()).body());
    assertThat(files.answer("static/words.js", asking("Accept-Encoding", "gzip;q=0, br")).headers())
        .doesNotContainKey("Content-Encoding");
    assertThat(files.answer("static/tiny.json", asking("Accept-Encoding", "gzip")).headers())
        .doesNotContainKey("Content-Encoding");
  }

  @Test
  void whoHasItIsToldSo() {
    String tag = files.answer("static/words.js", asking()).headers().get("ETag");
    String packedTag =
        files.answer("static/words.js", asking("Accept-Encoding", "gzip")).headers().get("ETag");

    assertThat(tag).isNotEqualTo(packedTag).matches("\"[0-9a-f]{32}\"");
    HttpAnswer same = files.answer("static/words.js", asking("If-None-Match", "\"x\", W/" + tag));
    assertThat(same.status()).isEqualTo(304);
    assertThat(same.body()).isEmpty();
    assertThat(same.headers()).containsEntry("ETag", tag);
    assertThat(files.answer("static/words.js", asking("If-None-Match", packedTag)).status())
        .isEqualTo(200);
    assertThat(files.answer("static/words.js", asking("If-None-Match", "garbage")).status())
        .isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "static",
        "static/",
        "static/.hidden.txt",
        "nothing.js",
        "../dev/cairn/server/node/release.properties",
        "../logback.xml",
        "static/../static/words.js",
        "static//words.js",
        "/static/words.js",
        "static\\words.js",
        "static/words.js\0.html",
        "static/words.js ",
        "..%2fstatic/words.js"
      })
  void nothingElseIsReached(String name) {
    assertThat(files.answer(name, asking()).status()).isEqualTo(404);
  }
}
