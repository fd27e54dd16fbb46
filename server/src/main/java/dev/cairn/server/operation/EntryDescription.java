// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** A log entry of a partition in one line for people: operations and keys, never a value. */
public final class EntryDescription {
  private static final int OPERATIONS_MAX = 8;
  private static final int KEYS_MAX = 4;
  private static final int KEY_LENGTH_MAX = 64;

  private EntryDescription() {}

  /** Such as {@code PUT mykey (7 bytes), DELETE other}; says so when the bytes are no entry. */
  public static String of(byte[] bytes) {
    List<Operation> operations;
    try {
      operations =
          EntryCodec.decode(bytes).requests().stream()
              .flatMap(request -> request.operations().stream())
              .toList();
    } catch (IOException e) {
      return "unreadable: " + e.getMessage();
    }
    return of(operations);
  }

  private static String of(List<Operation> operations) {
    if (operations.isEmpty()) {
      return "no operation";
    }
    String shown =
        operations.stream()
            .limit(OPERATIONS_MAX)
            .map(EntryDescription::of)
            .collect(Collectors.joining(", "));
    int hidden = operations.size() - OPERATIONS_MAX;
    return hidden > 0 ? shown + " and " + hidden + " more" : shown;
  }

  private static String of(Operation operation) {
    if (operation instanceof Operation.Put put) {
      return "PUT %s (%d bytes)".formatted(printable(put.key()), put.value().length);
    }
    if (operation instanceof KeyOperation.Transaction transaction) {
      return "TRANSACTION (" + of(transaction.operations()) + ")";
    }
    String keys =
        operation.keys().stream()
            .limit(KEYS_MAX)
            .map(key -> " " + printable(key))
            .collect(Collectors.joining());
    int hidden = operation.keys().size() - KEYS_MAX;
    return operation.getClass().getSimpleName().toUpperCase(Locale.ROOT)
        + keys
        + (hidden > 0 ? " and " + hidden + " more" : "");
  }

  /** Bytes that are no printable ASCII as {@code \x0a}; the end of a long key is cut off. */
  private static String printable(byte[] key) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < key.length && i < KEY_LENGTH_MAX; i++) {
      if (key[i] > ' ' && key[i] < 127 && key[i] != '\\') {
        text.append((char) key[i]);
      } else {
        text.append("\\x%02x".formatted(key[i] & 0xff));
      }
    }
    return key.length > KEY_LENGTH_MAX ? text + "..." : text.toString();
  }
}
