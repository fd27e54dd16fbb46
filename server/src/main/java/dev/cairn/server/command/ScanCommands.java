// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.Slots;
import dev.cairn.server.command.Command.Access;
import dev.cairn.server.command.Command.Trait;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Reply;
import dev.cairn.server.routing.ScanPosition;
import dev.cairn.server.storage.KeyRange;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Commands that look for keys: SCAN, KEYS, RANDOMKEY and those of CLUSTER. On the client port they
 * concern the whole cluster, on the cluster port the partitions that this node leads.
 */
final class ScanCommands {
  private static final int COUNT_DEFAULT = 10;

  /** How many pages one SCAN reads at most: partitions that are nearly empty share a step. */
  private static final int PAGES_MAX = 16;

  /** Of how many keys that lie side by side RANDOMKEY takes one. */
  private static final int RANDOM_AMONG = 100;

  /** What a key takes beside its bytes while a reply is gathered, about. */
  private static final int KEY_OVERHEAD_BYTES = 64;

  private static final BigInteger CURSOR_MAX =
      BigInteger.ONE.shiftLeft(Long.SIZE).subtract(BigInteger.ONE);

  static final List<Row.Written> ROWS =
      Row.group(
          "generic",
          Row.whole(
                  "SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]",
                  "2.8.0",
                  "Looks at some keys more, in their order inside a partition; returns where to go"
                      + " on, 0 at the end. Any node goes on with any cursor.",
                  Access.READ,
                  ScanCommands::scan)
              .slow("O(1) for each call, O(N) for all keys"),
          Row.whole(
                  "KEYS pattern",
                  "1.0.0",
                  "Returns all keys that match a pattern, in their order.",
                  Access.READ,
                  ScanCommands::keys)
              .slow("O(N) where N is the number of keys with the pattern's prefix")
              .with(Trait.DANGEROUS),
          Row.whole(
                  "RANDOMKEY",
                  "1.0.0",
                  "Returns one of the keys: by chance, of a hundred; calls go over all of them.",
                  Access.READ,
                  ScanCommands::randomKey)
              .slow("O(P) where P is the number of partitions"));

  static final Row COUNT_KEYS_IN_SLOT =
      Row.whole(
              "CLUSTER COUNTKEYSINSLOT slot",
              "3.0.0",
              "Counts the keys of a slot, wherever it is led: walks over its partition.",
              Access.READ,
              ScanCommands::countKeysInSlot)
          .slow("O(N) where N is the number of keys of the partition");

  static final Row GET_KEYS_IN_SLOT =
      Row.whole(
              "CLUSTER GETKEYSINSLOT slot count",
              "3.0.0",
              "Returns some keys of a slot, wherever it is led: walks over its partition.",
              Access.READ,
              ScanCommands::getKeysInSlot)
          .slow("O(N) where N is the number of keys of the partition");

  private ScanCommands() {}

  private static Plan scan(Call call) {
    long cursor = cursor(call.word(1));
    int count = COUNT_DEFAULT;
    byte[] pattern = {'*'};
    boolean strings = true;
    for (int i = 2; i < call.count(); i += 2) {
      if (i + 1 == call.count()) {
        throw Refusal.syntax();
      } else if (call.wordIs(i, "COUNT")) {
        long wanted = call.integer(i + 1);
        if (wanted < 1) {
          throw Refusal.syntax();
        }
        count = (int) Math.min(wanted, Query.Range.KEYS_MAX);
      } else if (call.wordIs(i, "MATCH")) {
        pattern = call.word(i + 1);
      } else if (call.wordIs(i, "TYPE")) {
        strings = call.wordIs(i + 1, "string");
      } else {
        throw Refusal.syntax();
      }
    }
    KeyPattern wanted = new KeyPattern(pattern);
    List<Integer> partitions = wanted.partitions(call);
    Step step = new Step(call, cursor, count, wanted);
    boolean none = !strings;
    return new Plan.Own(Effect.READS, started -> walk(step, partitions, none));
  }

  /**
   * Walks on from the cursor.
   *
   * @param none whether no key can be meant
   */
  private static void walk(Step step, List<Integer> partitions, boolean none) {
    Call call = step.call;
    call.router()
        .position(
            step.cursor,
            from -> {
              List<Integer> rest = rest(partitions, from);
              if (none || rest.isEmpty()) {
                call.reply(page(0, List.of()));
                return;
              }
              ScanPosition begin =
                  rest.get(0) == from.partition() ? from : ScanPosition.startOf(rest.get(0));
              new KeyWalk(call, rest, step.pattern.range(), step).from(begin);
            });
  }

  /** The partitions from a place on; one that was begun is ended, whoever leads it now. */
  private static List<Integer> rest(List<Integer> partitions, ScanPosition from) {
    List<Integer> rest = new ArrayList<>();
    if (from.from().length > 0) {
      rest.add(from.partition());
    }
    partitions.stream()
        .filter(partition -> partition >= from.partition() && !rest.contains(partition))
        .forEach(rest::add);
    return rest;
  }

  /** As Redis reads it: an unsigned number of 64 bits. */
  private static long cursor(byte[] word) {
    String text = new String(word, StandardCharsets.ISO_8859_1);
    int end = text.indexOf(0);
    text = end < 0 ? text : text.substring(0, end);
    if (text.isEmpty()) {
      return 0;
    }
    if (!text.matches("[+-]?[0-9]{1,64}")) {
      throw new Refusal("invalid cursor");
    }
    BigInteger number = new BigInteger(text);
    if (number.abs().compareTo(CURSOR_MAX) > 0) {
      throw new Refusal("invalid cursor");
    }
    return number.longValue();
  }

  private static RespValue page(long cursor, List<RespValue> keys) {
    return RespValue.array(
        RespValue.bulk(Long.toUnsignedString(cursor)), new RespValue.Array(keys));
  }

  /** One SCAN. */
  private static final class Step implements KeyWalk.Visitor {
    private final Call call;
    private final long cursor;
    private final int count;
    private final KeyPattern pattern;
    private final List<RespValue> found = new ArrayList<>();
    private int seen;
    private int pages;

    Step(Call call, long cursor, int count, KeyPattern pattern) {
      this.call = call;
      this.cursor = cursor;
      this.count = count;
      this.pattern = pattern;
    }

    @Override
    public boolean visit(List<byte[]> keys, Optional<ScanPosition> next) {
      keys.stream().filter(pattern.wanted()).forEach(key -> found.add(new RespValue.Bulk(key)));
      seen += keys.size();
      pages++;
      if (next.isPresent() && seen < count && pages < PAGES_MAX) {
        return true;
      }
      reply(next);
      return false;
    }

    private void reply(Optional<ScanPosition> next) {
      long goesOn = next.isPresent() ? call.router().cursor(cursor, next.get()) : 0;
      call.reply(page(goesOn, found));
    }

    /** What was found is told, and the same is tried by the next step. */
    @Override
    public void failed(ScanPosition at, Reply.Failed why) {
      if (pages > 0) {
        reply(Optional.of(at));
      } else {
        call.reply(Fanout.error(why));
      }
    }

    @Override
    public int keysMax() {
      return count - seen;
    }

    @Override
    public boolean looksLong() {
      return pattern.takesLong();
    }
  }

  private static Plan keys(Call call) {
    KeyPattern pattern = new KeyPattern(call.word(1));
    List<Integer> partitions = pattern.partitions(call);
    return gather(
        call,
        partitions,
        pattern.range(),
        pattern,
        Long.MAX_VALUE,
        keys -> {
          keys.sort(Arrays::compareUnsigned);
          return bulks(keys);
        });
  }

  private static RespValue bulks(List<byte[]> keys) {
    return new RespValue.Array(keys.stream().<RespValue>map(RespValue.Bulk::new).toList());
  }

  private static Plan countKeysInSlot(Call call) {
    int slot = slot(call, "Invalid slot");
    long[] count = {0};
    return gather(
        call,
        List.of(partitionOf(call, slot)),
        KeyRange.ALL,
        () ->
            key -> {
              count[0] += Slots.of(key) == slot ? 1 : 0;
              return false;
            },
        Long.MAX_VALUE,
        none -> new RespValue.Int(count[0]));
  }

  private static Plan getKeysInSlot(Call call) {
    long keysMax = call.integer(3);
    int slot = slot(call, "Invalid slot or number of keys");
    if (keysMax < 0) {
      throw new Refusal("Invalid slot or number of keys");
    }
    if (keysMax == 0) {
      return new Plan.Answer(RespValue.array());
    }
    return gather(
        call,
        List.of(partitionOf(call, slot)),
        KeyRange.ALL,
        () -> key -> Slots.of(key) == slot,
        keysMax,
        ScanCommands::bulks);
  }

  private static int slot(Call call, String refusal) {
    long slot = call.integer(2);
    if (slot < 0 || slot >= Slots.COUNT) {
      throw new Refusal(refusal);
    }
    return (int) slot;
  }

  static int partitionOf(Call call, int slot) {
    return call.router().partitionOfSlot(slot).orElseThrow(Refusal::notPlaced);
  }

  /** How what was gathered becomes a reply. */
  private interface Reducer {
    RespValue reply(List<byte[]> keys);
  }

  /** Walks to the end, or until enough was found; all that is found is in memory, within bounds. */
  private static Plan gather(
      Call call,
      List<Integer> partitions,
      KeyRange range,
      KeySieve sieve,
      long keysMax,
      Reducer reducer) {
    if (partitions.isEmpty()) {
      return new Plan.Answer(reducer.reply(new ArrayList<>()));
    }
    List<byte[]> found = new ArrayList<>();
    long[] held = {0};
    Clients clients = call.port().clients();
    Consumer<RespValue> end =
        reply -> {
          clients.give(held[0]);
          call.reply(reply);
        };
    KeyWalk.Visitor visitor =
        new KeyWalk.Visitor() {
          @Override
          public boolean visit(List<byte[]> keys, Optional<ScanPosition> next) {
            long bytes = 0;
            Predicate<byte[]> wanted = sieve.wanted();
            for (byte[] key : keys) {
              if (found.size() < keysMax && wanted.test(key)) {
                found.add(key);
                bytes += KEY_OVERHEAD_BYTES + key.length;
              }
            }
            try {
              clients.hold(bytes);
            } catch (Refusal full) {
              end.accept(
                  new Refusal("too many keys for one reply: walk over them by SCAN").reply());
              return false;
            }
            held[0] += bytes;
            if (next.isPresent() && found.size() < keysMax) {
              return true;
            }
            end.accept(reducer.reply(found));
            return false;
          }

          @Override
          public void failed(ScanPosition at, Reply.Failed why) {
            end.accept(Fanout.error(why));
          }

          @Override
          public int keysMax() {
            return Query.Range.KEYS_MAX;
          }

          @Override
          public boolean looksLong() {
            return sieve.takesLong();
          }
        };
    KeyWalk walk = new KeyWalk(call, partitions, range, visitor);
    return new Plan.Own(
        Effect.READS, started -> walk.from(ScanPosition.startOf(partitions.get(0))));
  }

  /**
   * One of the next hundred keys, by chance. Where it went on is remembered, so that in time every
   * key is among them, however many there are.
   */
  private static Plan randomKey(Call call) {
    List<Integer> partitions = KeyCommands.partitions(call);
    return partitions.isEmpty()
        ? new Plan.Answer(RespValue.NIL)
        : new Plan.Own(Effect.READS, started -> randomKey(started, partitions));
  }

  private static void randomKey(Call call, List<Integer> partitions) {
    ScanPosition start = ScanPosition.startOf(partitions.get(0));
    ScanPosition from = call.port().randomPosition().get();
    boolean known = from != null && partitions.contains(from.partition());
    randomKey(
        call, partitions, known ? from : start, known ? Optional.of(start) : Optional.empty());
  }

  /** As above, from a place; if there is nothing behind it, once more from another. */
  private static void randomKey(
      Call call, List<Integer> partitions, ScanPosition from, Optional<ScanPosition> again) {
    List<byte[]> among = new ArrayList<>();
    KeyWalk.Visitor visitor =
        new KeyWalk.Visitor() {
          @Override
          public boolean visit(List<byte[]> keys, Optional<ScanPosition> next) {
            among.addAll(keys);
            if (next.isPresent() && among.size() < RANDOM_AMONG) {
              return true;
            }
            call.port().randomPosition().set(next.orElse(null));
            if (!among.isEmpty()) {
              long chosen = Math.floorMod(call.port().random().getAsLong(), among.size());
              call.reply(new RespValue.Bulk(among.get((int) chosen)));
            } else if (again.isPresent()) {
              randomKey(call, partitions, again.get(), Optional.empty());
            } else {
              call.reply(RespValue.NIL);
            }
            return false;
          }

          @Override
          public void failed(ScanPosition at, Reply.Failed why) {
            call.reply(Fanout.error(why));
          }

          @Override
          public int keysMax() {
            return RANDOM_AMONG - among.size();
          }
        };
    new KeyWalk(call, partitions, KeyRange.ALL, visitor).from(from);
  }
}
