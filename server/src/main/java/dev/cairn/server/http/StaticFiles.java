// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import java.util.zip.GZIPOutputStream;

/**
 * The console's files, out of the jar: {@code /} is {@code console/index.html}, {@code
 * /console/NAME} the resource of that name and nothing else.
 *
 * <p>Each file is read once and kept, packed too where that is shorter; what is not there is not
 * kept, so that nobody fills the memory by guessing. A browser asks again each time ({@code
 * no-cache}) and is told 304 while the file is the same, since the next answer may come from a node
 * of another version.
 */
final class StaticFiles {
  /** Path segments of letters, digits, '-', '_' and '.', none of which begins with a dot. */
  private static final Pattern NAME =
      Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*");

  private static final String FOLDER = "console/";

  private static final Map<String, String> TYPES =
      Map.ofEntries(
          Map.entry("html", "text/html; charset=utf-8"),
          Map.entry("css", "text/css; charset=utf-8"),
          Map.entry("js", "text/javascript; charset=utf-8"),
          Map.entry("mjs", "text/javascript; charset=utf-8"),
          Map.entry("json", "application/json"),
          Map.entry("map", "application/json"),
          Map.entry("webmanifest", "application/manifest+json"),
          Map.entry("svg", "image/svg+xml"),
          Map.entry("png", "image/png"),
          Map.entry("ico", "image/x-icon"),
          Map.entry("woff2", "font/woff2"),
          Map.entry("txt", "text/plain; charset=utf-8"),
          Map.entry("md", "text/plain; charset=utf-8"));

  private final Map<String, StaticFile> files = new ConcurrentHashMap<>();

  /**
   * One file.
   *
   * @param packed with gzip; empty where that is no shorter
   */
  private record StaticFile(String type, byte[] body, Optional<byte[]> packed, String tag) {}

  /**
   * A file, or that the asker has it, or that there is none.
   *
   * @param name below {@code console/}
   */
  HttpAnswer answer(String name, HttpHeaders asked) {
    Optional<StaticFile> known = NAME.matcher(name).matches() ? find(name) : Optional.empty();
    if (known.isEmpty()) {
      return HttpAnswer.problem(Problem.NO_SUCH_RESOURCE, "there is no such file");
    }
    StaticFile file = known.get();
    boolean packed = file.packed().isPresent() && Negotiation.gzip(asked);
    String tag = '"' + file.tag() + (packed ? "-gzip\"" : "\"");
    HttpAnswer answer =
        EntityTags.lenient(asked.getAll(HttpHeaderNames.IF_NONE_MATCH)).matchesWeakly(tag)
            ? HttpAnswer.empty(304)
            : HttpAnswer.of(200, file.type(), packed ? file.packed().get() : file.body());
    answer =
        answer.with("ETag", tag).with("Cache-Control", "no-cache").with("Vary", "Accept-Encoding");
    return packed && answer.status() == 200 ? answer.with("Content-Encoding", "gzip") : answer;
  }

  private Optional<StaticFile> find(String name) {
    StaticFile known = files.get(name);
    if (known != null) {
      return Optional.of(known);
    }
    Optional<StaticFile> read = read(name);
    read.ifPresent(file -> files.put(name, file));
    return read;
  }

  private static Optional<StaticFile> read(String name) {
    String extension = name.substring(name.lastIndexOf('.') + 1);
    String type = TYPES.get(extension);
    if (type == null) {
      return Optional.empty(); // a folder too
    }
    try (InputStream in = StaticFiles.class.getResourceAsStream("/" + FOLDER + name)) {
      if (in == null) {
        return Optional.empty();
      }
      byte[] body = in.readAllBytes();
      byte[] packed = pack(body);
      return Optional.of(
          new StaticFile(
              type,
              body,
              packed.length < body.length ? Optional.of(packed) : Optional.empty(),
              digest(body)));
    } catch (IOException e) {
      throw new UncheckedIOException("the console's file " + name + " cannot be read", e);
    }
  }

  private static byte[] pack(byte[] body) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(body);
    }
    return out.toByteArray();
  }

  private static String digest(byte[] body) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(body);
      return HexFormat.of().formatHex(digest, 0, 16);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every JDK has it
    }
  }
}
