// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/**
 * One write of the tests' clients.
 *
 * @param value what is put; empty otherwise
 * @param expiresAtMillis of what is put
 * @param id null if it has none
 */
public record Write(Kind kind, String key, String value, long expiresAtMillis, RequestId id) {
  /** What it does. */
  public enum Kind {
    PUT,
    INCREMENT,
    DELETE,
    CLEAR,
    SWEEP
  }

  /**
   * What one entry of a log has.
   *
   * @param timeMillis the partition time that it brings
   */
  public record Entry(long timeMillis, List<Write> writes) {
    /** Its bytes. */
    public byte[] encode() {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      try (DataOutputStream out = new DataOutputStream(bytes)) {
        out.writeLong(timeMillis);
        out.writeInt(writes.size());
        for (Write write : writes) {
          write.encode(out);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return bytes.toByteArray();
    }

    /** Reads an entry. */
    public static Entry decode(byte[] bytes) {
      try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
        long time = in.readLong();
        List<Write> writes = new ArrayList<>();
        for (int i = in.readInt(); i > 0; i--) {
          writes.add(Write.decode(in));
        }
        return new Entry(time, writes);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private void encode(DataOutputStream out) throws IOException {
    out.writeUTF(kind.name());
    out.writeUTF(key);
    out.writeUTF(value);
    out.writeLong(expiresAtMillis);
    out.writeBoolean(id != null);
    if (id != null) {
      out.writeLong(id.clientHigh());
      out.writeLong(id.clientLow());
      out.writeLong(id.sequence());
      out.writeLong(id.issuedAtMillis());
    }
  }

  private static Write decode(DataInputStream in) throws IOException {
    Kind kind = Kind.valueOf(in.readUTF());
    String key = in.readUTF();
    String value = in.readUTF();
    long expiresAtMillis = in.readLong();
    RequestId id =
        in.readBoolean()
            ? new RequestId(in.readLong(), in.readLong(), in.readLong(), in.readLong())
            : null;
    return new Write(kind, key, value, expiresAtMillis, id);
  }
}
