// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import dev.cairn.server.access.RightsWriter.Change;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A change of rights on its way to the leader, and what it decided. Passwords travel as hashes.
 *
 * <pre>
 *   change   ::= format:1 kind:1 count:4 text*      kind: 1 set, user and rules; 2 delete, users
 *   decision ::= format:1 kind:1 version:8 removed:4 text
 *   kind     ::= 1 APPLIED | 2 WRONG | 3 NOT_NOW | 4 UNKNOWN
 *   text     ::= length:4 byte*                     ISO-8859-1; of a decision UTF-8
 *   format   ::= 1
 * </pre>
 */
final class RightsCodec {
  /** The most that a change takes. */
  static final int BYTES_MAX = 256 << 10;

  private static final byte FORMAT = 1;
  private static final byte SET = 1;
  private static final byte DELETE = 2;

  private RightsCodec() {}

  /** What became of a change. */
  enum Kind {
    APPLIED(1),
    WRONG(2),
    NOT_NOW(3),
    UNKNOWN(4);

    private final int code;

    Kind(int code) {
      this.code = code;
    }

    private static Kind of(int code) throws IOException {
      for (Kind kind : values()) {
        if (kind.code == code) {
          return kind;
        }
      }
      throw new IOException("a decision of kind " + code);
    }
  }

  /**
   * What the leader decided.
   *
   * @param version of the rights that hold it, of APPLIED
   * @param removed how many users it took away
   * @param text what to tell the client, of the others
   */
  record Decision(Kind kind, long version, int removed, String text) {
    static Decision applied(long version, int removed) {
      return new Decision(Kind.APPLIED, version, removed, "");
    }

    static Decision wrong(String text) {
      return new Decision(Kind.WRONG, 0, 0, text);
    }

    static Decision notNow(String text) {
      return new Decision(Kind.NOT_NOW, 0, 0, text);
    }

    static Decision unknown(String text) {
      return new Decision(Kind.UNKNOWN, 0, 0, text);
    }

    byte[] encode() {
      return written(
          out -> {
            out.writeByte(FORMAT);
            out.writeByte(kind.code);
            out.writeLong(version);
            out.writeInt(removed);
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            out.writeInt(bytes.length);
            out.write(bytes);
          });
    }
  }

  private interface Writing {
    void to(DataOutputStream out) throws IOException;
  }

  private static byte[] written(Writing writing) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      writing.to(new DataOutputStream(bytes));
    } catch (IOException e) {
      throw new UncheckedIOException(e); // a byte array does not fail
    }
    return bytes.toByteArray();
  }

  private static List<String> texts(Change change) {
    List<String> texts = new ArrayList<>();
    if (change instanceof Change.Set set) {
      texts.add(set.user());
      texts.addAll(set.rules());
    } else {
      texts.addAll(((Change.Delete) change).users());
    }
    return texts;
  }

  /** What a change takes. */
  static long bytes(Change change) {
    return texts(change).stream().mapToLong(text -> 4L + text.length()).sum();
  }

  static byte[] encode(Change change) {
    return written(
        out -> {
          out.writeByte(FORMAT);
          out.writeByte(change instanceof Change.Set ? SET : DELETE);
          List<String> texts = texts(change);
          out.writeInt(texts.size());
          for (String text : texts) {
            byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
            out.writeInt(bytes.length);
            out.write(bytes);
          }
        });
  }

  static Change change(byte[] body) throws IOException {
    if (body.length > 2 * BYTES_MAX) {
      throw new IOException("a change of rights of " + body.length + " bytes");
    }
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(body));
    byte format = in.readByte();
    byte kind = in.readByte();
    if (format != FORMAT || (kind != SET && kind != DELETE)) {
      throw new IOException("a change of rights of format " + format + " and kind " + kind);
    }
    int count = in.readInt();
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      texts.add(text(in, StandardCharsets.ISO_8859_1));
    }
    if (kind == DELETE) {
      return new Change.Delete(texts);
    }
    if (texts.isEmpty()) {
      throw new IOException("a change of rights without a user");
    }
    return new Change.Set(texts.get(0), texts.subList(1, texts.size()));
  }

  /** What cannot be read leaves it unknown what became of the change. */
  static Decision decision(byte[] body) {
    try {
      DataInputStream in = new DataInputStream(new ByteArrayInputStream(body));
      byte format = in.readByte();
      if (format != FORMAT) {
        throw new IOException("a decision of format " + format);
      }
      return new Decision(
          Kind.of(in.readByte()), in.readLong(), in.readInt(), text(in, StandardCharsets.UTF_8));
    } catch (IOException e) {
      return Decision.unknown(
          "the leader of the cluster's rights answered in a way that cannot be read: look with ACL"
              + " LIST whether the change holds");
    }
  }

  private static String text(DataInputStream in, java.nio.charset.Charset charset)
      throws IOException {
    int length = in.readInt();
    if (length < 0 || length > in.available()) {
      throw new IOException("a text of " + length + " bytes");
    }
    return new String(in.readNBytes(length), charset);
  }
}
