// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * How a node is protected from those who reach it, as it reports to the others.
 *
 * <pre>
 *   protection ::= notProtected:utf days:8 count:1 refused:utf* rightsAgeMillis:8 losesAudit:1
 *   days       ::= the least long: it has no certificate
 * </pre>
 *
 * @param notProtected what lets everybody in, if anything does, for a person
 * @param certificateDays for how many days its certificates are good; negative: they have expired;
 *     empty where it has none
 * @param filesRefused which of its certificates' files have changed to what cannot be used
 * @param watch how well it knows whom to let in
 */
public record NodeProtection(
    Optional<String> notProtected,
    OptionalLong certificateDays,
    List<String> filesRefused,
    Watch watch) {
  private static final long NO_DAYS = Long.MIN_VALUE;

  /** Of a node that nobody else reaches. */
  public static final NodeProtection NONE =
      new NodeProtection(Optional.empty(), OptionalLong.empty(), List.of(), Watch.GOOD);

  /**
   * How well a node knows whom to let in, and keeps whom it did.
   *
   * @param rightsAgeMillis for how long nobody has told it what the latest rights of users are; 0
   *     where it has no users
   * @param losesAudit whether events were lost lately that should be in its audit log
   */
  public record Watch(long rightsAgeMillis, boolean losesAudit) {
    /** Nothing is to be said. */
    public static final Watch GOOD = new Watch(0, false);
  }

  public NodeProtection {
    filesRefused = List.copyOf(filesRefused);
  }

  void write(DataOutputStream out) throws IOException {
    out.writeUTF(notProtected.orElse(""));
    out.writeLong(certificateDays.orElse(NO_DAYS));
    out.writeByte(filesRefused.size());
    for (String refused : filesRefused) {
      out.writeUTF(refused);
    }
    out.writeLong(watch.rightsAgeMillis());
    out.writeBoolean(watch.losesAudit());
  }

  static NodeProtection read(DataInputStream in) throws IOException {
    String open = in.readUTF();
    long days = in.readLong();
    int count = in.readUnsignedByte();
    List<String> refused = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      refused.add(in.readUTF());
    }
    return new NodeProtection(
        open.isEmpty() ? Optional.empty() : Optional.of(open),
        days == NO_DAYS ? OptionalLong.empty() : OptionalLong.of(days),
        refused,
        new Watch(in.readLong(), in.readBoolean()));
  }
}
