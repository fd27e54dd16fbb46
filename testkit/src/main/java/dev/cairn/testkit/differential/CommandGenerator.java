// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.differential;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Random commands on a few keys that share a hash tag: every command on strings, bits, keys, expiry
 * and transactions that Redis 7.0 has, and a good part of them malformed. Behind a MULTI come a few
 * that are queued, fewer of them malformed, and then EXEC or DISCARD. One key is no text. For one
 * thread.
 *
 * <p>Times to live are either so long that nothing expires while a run lasts, or over: what expires
 * in between does so at slightly different moments in two servers. Keys are watched only when they
 * are there, and LCS is not queued: two differences that are meant (docs/reference/commands.md).
 */
final class CommandGenerator {
  private static final int KEYS = 6;
  private static final List<String> PATTERN_PIECES =
      List.of(
          "*", "?", "[", "]", "^", "-", "\\", "a", "c", "[^", "[a-", "-c]", "\200", "\377", "\0");

  /** How the last of them ends: no UTF-8, and what ends lines and strings elsewhere. */
  private static final byte[] BINARY = {0, (byte) 0xff, '\r', '\n', (byte) 0xc3};

  private static final double MALFORMED = 0.3;
  private static final double MALFORMED_IN_MULTI = 0.07;
  private static final int QUEUED_MAX = 7;
  private static final int EXPIRE_SECONDS_MIN = 100_000;
  private static final int EXPIRE_SECONDS_MAX = 100_000_000;

  /**
   * A command and its arguments: {@code k} a key, {@code v} a value, {@code i} a whole number,
   * {@code f} a float, {@code n} an index, {@code o} an offset of bytes, {@code b} of bits, {@code
   * 1} a bit, {@code s} and {@code m} seconds and milliseconds to live, {@code S} and {@code M}
   * such a time, {@code p} a pattern of keys; a word stands for itself, and {@code *} for what
   * {@link #rest} makes.
   */
  private static final List<String> SHAPES =
      List.of(
          "SET k v *",
          "SETNX k v",
          "SETEX k s v",
          "PSETEX k m v",
          "GET k",
          "GETSET k v",
          "GETDEL k",
          "GETEX k *",
          "MGET k k *",
          "MSET k v *",
          "MSETNX k v *",
          "APPEND k v",
          "STRLEN k",
          "GETRANGE k n n",
          "SUBSTR k n n",
          "SETRANGE k o v",
          "INCR k",
          "DECR k",
          "INCRBY k i",
          "DECRBY k i",
          "INCRBYFLOAT k f",
          "LCS k k *",
          "SETBIT k b 1",
          "GETBIT k b",
          "BITCOUNT k *",
          "BITPOS k 1 *",
          "BITOP *",
          "BITFIELD k *",
          "BITFIELD_RO k *",
          "DEL k *",
          "UNLINK k *",
          "EXISTS k *",
          "TYPE k",
          "TOUCH k *",
          "RENAME k k",
          "RENAMENX k k",
          "COPY k k *",
          "EXPIRE k s *",
          "PEXPIRE k m *",
          "EXPIREAT k S *",
          "PEXPIREAT k M *",
          "TTL k",
          "PTTL k",
          "EXPIRETIME k",
          "PEXPIRETIME k",
          "PERSIST k",
          "KEYS p",
          "SCAN 0 *",
          "MEMORY USAGE k *",
          "WATCH k *",
          "UNWATCH",
          "MULTI",
          "EXEC",
          "DISCARD");

  /**
   * What says less where each command waits for a reply than where it may overtake others: replies
   * that depend on a key in little, or not at all.
   */
  private static final List<String> SHAPES_PIPELINED =
      List.of(
          "OBJECT ENCODING k",
          "OBJECT IDLETIME k",
          "OBJECT REFCOUNT k",
          "OBJECT FREQ k",
          "PING",
          "ECHO v",
          "GETEX k",
          "GET k",
          "STRLEN k");

  /** What concerns all keys that a server has: for a lane that is alone. */
  private static final List<String> SHAPES_ALONE =
      List.of("RANDOMKEY", "DBSIZE", "FLUSHALL *", "FLUSHDB *");

  /** How much of what a lane sends alone concerns all keys. */
  private static final double OF_ALL_KEYS = 0.6;

  /** What may not be queued in both, or ends a transaction. */
  private static final Set<String> NOT_QUEUED =
      Set.of("LCS", "KEYS", "SCAN", "MEMORY", "EXEC", "DISCARD", "MULTI", "WATCH", "OBJECT");

  private static final List<String> JUNK =
      List.of(
          "",
          "x",
          "-1",
          "0",
          "1.5",
          "abc\r\nd",
          "9223372036854775807",
          "9223372036854775808",
          "-9223372036854775808",
          "-9223372036854775809",
          " 1",
          "1 ",
          "+1",
          "01",
          "-0",
          "1e3",
          "nan",
          "inf",
          "-inf",
          "0x10",
          "1e4932",
          "1e-4940",
          "NX",
          "xx",
          "GET",
          "EX",
          "PX",
          "EXAT",
          "KEEPTTL",
          "PERSIST",
          "BIT",
          "byte",
          "LEN",
          "IDX",
          "WITHMATCHLEN",
          "MINMATCHLEN",
          "REPLACE",
          "DB",
          "gt",
          "LT",
          "134217728",
          "9223372036854775",
          "OVERFLOW",
          "#",
          "u64");

  private static final List<String> FLOATS =
      List.of(
          "0",
          "0.1",
          "-0.1",
          "3.0e3",
          "1e-17",
          "5e-18",
          "1.7976931348623157e308",
          "0.3333333333333",
          "123456789.987654321",
          "-1",
          "1e18",
          "1e25",
          "9223372036854775807",
          "0.00000000000000001");

  private final Random random;
  private final String tag;
  private final boolean alone;
  private final List<String> shapes;
  private final ArrayDeque<Generated> planned = new ArrayDeque<>();
  private boolean inMulti;
  private int left; // how many are queued before the transaction ends

  /** One command, and whether something was done to spoil it; it may be well-formed still. */
  record Generated(List<byte[]> words, boolean spoiled) {
    String name() {
      return new String(words.get(0), StandardCharsets.US_ASCII);
    }
  }

  /**
   * Of the commands of one lane.
   *
   * @param alone whether no other lane sends anything meanwhile
   */
  CommandGenerator(long seed, int lane, boolean alone) {
    this(seed, lane, alone, SHAPES);
  }

  private CommandGenerator(long seed, int lane, boolean alone, List<String> shapes) {
    this.alone = alone;
    this.shapes = shapes;
    this.random = new Random(seed * 1_000_003 + lane);
    this.tag = "{lane" + lane + "}";
  }

  /** The same, of a lane that sends pipelines: there are more kinds. */
  static CommandGenerator ofPipelines(long seed, int lane, boolean alone) {
    return new CommandGenerator(
        seed, lane, alone, Stream.of(SHAPES, SHAPES_PIPELINED).flatMap(List::stream).toList());
  }

  static List<String> names() {
    return names(List.of(SHAPES, SHAPES_ALONE));
  }

  static List<String> namesOfPipelines() {
    return names(List.of(SHAPES, SHAPES_PIPELINED, SHAPES_ALONE));
  }

  private static List<String> names(List<List<String>> shapes) {
    return shapes.stream().flatMap(List::stream).map(CommandGenerator::name).distinct().toList();
  }

  /** What was begun has ended: no transaction is open, and nothing is planned. */
  void restart() {
    planned.clear();
    inMulti = false;
  }

  /** Whether the next command is queued behind a MULTI, or ends one. */
  boolean inMulti() {
    return inMulti;
  }

  List<byte[]> keys() {
    return IntStream.range(0, KEYS).mapToObj(this::key).toList();
  }

  /** What all keys begin with. */
  String tag() {
    return tag;
  }

  private static String name(String shape) {
    return shape.split(" ")[0];
  }

  Generated next() {
    if (!planned.isEmpty()) {
      return planned.remove();
    }
    boolean ofAllKeys = alone && random.nextDouble() < OF_ALL_KEYS;
    Generated next =
        inMulti ? nextInMulti() : generate(ofAllKeys ? SHAPES_ALONE : shapes, MALFORMED);
    switch (next.name()) {
      case "MULTI" -> {
        inMulti |= !next.spoiled();
        left = random.nextInt(QUEUED_MAX);
      }
      case "EXEC" -> inMulti = false; // a malformed one ends it too
      case "DISCARD" -> inMulti &= next.spoiled();
      default -> {}
    }
    if (next.name().equals("WATCH") && next.words().size() > 1 && !inMulti) {
      planned.add(next);
      List<byte[]> words = new ArrayList<>(List.of(bytes("MSET")));
      next.words().stream().skip(1).forEach(key -> words.addAll(List.of(key, value())));
      return new Generated(words, false);
    }
    return next;
  }

  /** Some commands to be queued, now and then one that cannot be, and the end. */
  private Generated nextInMulti() {
    if (left-- > 0) {
      boolean misplaced = random.nextInt(30) == 0;
      List<String> queueable =
          misplaced
              ? List.of("MULTI", "WATCH k *")
              : shapes.stream().filter(shape -> !NOT_QUEUED.contains(name(shape))).toList();
      return generate(queueable, misplaced ? 0 : MALFORMED_IN_MULTI);
    }
    return generate(List.of(random.nextInt(6) == 0 ? "DISCARD" : "EXEC"), MALFORMED_IN_MULTI);
  }

  private Generated generate(List<String> among, double malformedShare) {
    List<byte[]> words = new ArrayList<>();
    String[] shape = among.get(random.nextInt(among.size())).split(" ");
    words.add(bytes(shape[0]));
    for (int i = 1; i < shape.length; i++) {
      if (shape[i].equals("*")) {
        rest(shape[0], words);
      } else {
        words.add(argument(shape[i]));
      }
    }
    boolean spoiled = random.nextDouble() < malformedShare && spoil(shape[0], words);
    return new Generated(words, spoiled);
  }

  private byte[] argument(String kind) {
    return switch (kind) {
      case "k" -> key();
      case "v" -> value();
      case "i" -> bytes(Long.toString(integer()));
      case "f" -> bytes(one(FLOATS));
      case "n" -> bytes(Integer.toString(random.nextInt(41) - 20));
      case "o" -> bytes(Integer.toString(random.nextInt(60)));
      case "b" -> bytes(Integer.toString(random.nextInt(500)));
      case "1" -> bytes(Integer.toString(random.nextInt(2)));
      case "s" -> bytes(Long.toString(seconds()));
      case "m" -> bytes(Long.toString(seconds() * 1000));
      case "S" -> bytes(Long.toString(time()));
      case "M" -> bytes(Long.toString(time() * 1000));
      case "p" -> pattern();
      case "0", "USAGE", "ENCODING", "IDLETIME", "REFCOUNT", "FREQ" -> bytes(kind);
      default -> throw new IllegalArgumentException(kind);
    };
  }

  private void rest(String name, List<byte[]> words) {
    switch (name) {
      case "SET" -> {
        some(words, List.of("NX", "XX", "GET", "get"));
        expiry(words, true);
      }
      case "GETEX" -> {
        expiry(words, false);
        if (words.size() == 2 && random.nextBoolean()) {
          words.add(bytes("PERSIST"));
        }
      }
      case "SCAN" -> {
        if (random.nextInt(4) > 0) {
          words.addAll(List.of(bytes("MATCH"), pattern()));
        }
        if (random.nextInt(4) > 0) {
          words.addAll(List.of(bytes("count"), bytes(one(List.of("7", "1000", "1000", "100000")))));
        }
        if (random.nextInt(4) == 0) {
          words.addAll(List.of(bytes("TYPE"), bytes(one(List.of("string", "STRING", "list")))));
        }
      }
      case "MGET", "DEL", "UNLINK", "EXISTS", "TOUCH", "WATCH" -> times(3, () -> words.add(key()));
      case "MSET", "MSETNX" ->
          times(
              3,
              () -> {
                words.add(key());
                words.add(value());
              });
      case "LCS" -> {
        some(words, List.of("LEN", "IDX", "WITHMATCHLEN"));
        if (random.nextInt(3) == 0) {
          words.add(bytes("MINMATCHLEN"));
          words.add(bytes(Integer.toString(random.nextInt(5) - 1)));
        }
      }
      case "BITCOUNT" -> span(words, random.nextInt(3) + (random.nextInt(4) == 0 ? 0 : 1));
      case "BITPOS" -> span(words, random.nextInt(4));
      case "BITOP" -> {
        String operation = one(List.of("AND", "or", "XOR", "NOT"));
        words.add(bytes(operation));
        words.add(key());
        words.add(key());
        if (!operation.equals("NOT") || random.nextInt(5) == 0) {
          times(3, () -> words.add(key()));
        }
      }
      case "BITFIELD", "BITFIELD_RO" -> times(4, () -> step(name, words));
      case "MEMORY" -> {
        if (random.nextInt(4) == 0) {
          words.addAll(List.of(bytes("SAMPLES"), bytes(one(List.of("0", "5", "100")))));
        }
      }
      case "FLUSHALL", "FLUSHDB" -> {
        if (random.nextBoolean()) {
          words.add(bytes(one(List.of("SYNC", "async"))));
        }
      }
      case "COPY" -> some(words, List.of("REPLACE"));
      default -> { // the EXPIRE family
        if (random.nextInt(2) == 0) {
          words.add(bytes(one(List.of("NX", "XX", "GT", "LT", "gt"))));
        }
      }
    }
  }

  private void expiry(List<byte[]> words, boolean keep) {
    switch (random.nextInt(keep ? 7 : 6)) {
      case 0 -> words.addAll(List.of(bytes("EX"), argument("s")));
      case 1 -> words.addAll(List.of(bytes("px"), argument("m")));
      case 2 -> words.addAll(List.of(bytes("EXAT"), argument("S")));
      case 3 -> words.addAll(List.of(bytes("PXAT"), argument("M")));
      case 6 -> words.add(bytes("KEEPTTL"));
      default -> {}
    }
  }

  private void span(List<byte[]> words, int length) {
    for (int i = 0; i < Math.min(2, length); i++) {
      words.add(bytes(Integer.toString(random.nextInt(61) - 30)));
    }
    if (length > 2) {
      words.add(bytes(one(List.of("BIT", "BYTE", "bit"))));
    }
  }

  private void step(String name, List<byte[]> words) {
    boolean signed = random.nextBoolean();
    String type = (signed ? "i" : "u") + (1 + random.nextInt(signed ? 64 : 63));
    String offset = (random.nextInt(4) == 0 ? "#" : "") + random.nextInt(40);
    int kind = name.equals("BITFIELD_RO") && random.nextInt(20) > 0 ? 0 : random.nextInt(4);
    switch (kind) {
      case 0 -> words.addAll(List.of(bytes("GET"), bytes(type), bytes(offset)));
      case 1 ->
          words.addAll(
              List.of(bytes("SET"), bytes(type), bytes(offset), bytes(Long.toString(integer()))));
      case 2 ->
          words.addAll(
              List.of(
                  bytes("incrby"), bytes(type), bytes(offset), bytes(Long.toString(integer()))));
      default ->
          words.addAll(List.of(bytes("OVERFLOW"), bytes(one(List.of("WRAP", "SAT", "fail")))));
    }
  }

  /**
   * Spoils a command behind its keys, so that it still speaks of no others: cuts it, puts junk in
   * the place of an argument or behind the last. Returns whether it did.
   */
  private boolean spoil(String name, List<byte[]> words) {
    boolean keysToTheEnd =
        List.of("MGET", "DEL", "UNLINK", "EXISTS", "TOUCH", "MSET", "MSETNX", "BITOP", "WATCH")
            .contains(name);
    List<Integer> others = new ArrayList<>();
    for (int i = 1; i < words.size(); i++) {
      if (!text(words.get(i)).startsWith(tag)) {
        others.add(i);
      }
    }
    switch (random.nextInt(4)) {
      case 0 -> {
        int kept = 1 + random.nextInt(words.size());
        if (kept == words.size()) {
          return false;
        }
        words.subList(kept, words.size()).clear();
      }
      case 1 -> words.add(keysToTheEnd ? key() : junk());
      default -> {
        if (others.isEmpty()) {
          words.add(keysToTheEnd ? key() : junk());
        } else {
          words.set(others.get(random.nextInt(others.size())), junk());
        }
      }
    }
    return true;
  }

  private byte[] junk() {
    if (random.nextInt(10) == 0) {
      byte[] binary = new byte[1 + random.nextInt(20)];
      random.nextBytes(binary);
      binary[0] |= (byte) 0x80; // no number: it may stand where a time to live should
      return binary;
    }
    return bytes(one(JUNK));
  }

  /**
   * Half of them put together from pieces that make classes, escapes and ranges, or half of one.
   */
  private byte[] pattern() {
    if (random.nextBoolean()) {
      StringBuilder pattern = new StringBuilder(tag);
      for (int pieces = random.nextInt(6); pieces >= 0; pieces--) {
        pattern.append(one(PATTERN_PIECES));
      }
      return pattern.toString().getBytes(StandardCharsets.ISO_8859_1);
    }
    return bytes(
        tag
            + one(
                List.of(
                    "*", "?", "[a-c]", "[^a]", "a", "[c-a]", "\\a", "[", "[b", "*b*", "x", "")));
  }

  private byte[] key() {
    return key(random.nextInt(KEYS));
  }

  private byte[] key(int index) {
    if (index < KEYS - 1) {
      return bytes(tag + (char) ('a' + index));
    }
    byte[] start = bytes(tag);
    byte[] key = Arrays.copyOf(start, start.length + BINARY.length);
    System.arraycopy(BINARY, 0, key, start.length, BINARY.length);
    return key;
  }

  private byte[] value() {
    return switch (random.nextInt(8)) {
      case 0 -> new byte[0];
      case 1, 2 -> bytes(Long.toString(integer()));
      case 3 -> bytes(one(FLOATS));
      case 4 -> bytes(one(JUNK));
      case 5 -> {
        byte[] binary = new byte[random.nextInt(64)];
        random.nextBytes(binary);
        yield binary;
      }
      default -> bytes("abcabcdxyz".substring(random.nextInt(9)).repeat(1 + random.nextInt(3)));
    };
  }

  private long integer() {
    return switch (random.nextInt(6)) {
      case 0 -> random.nextLong();
      case 1 -> Long.MAX_VALUE - random.nextInt(2);
      case 2 -> Long.MIN_VALUE + random.nextInt(2);
      default -> random.nextInt(2001) - 1000;
    };
  }

  /** A time to live: long, or over. */
  private long seconds() {
    return random.nextInt(12) == 0
        ? -random.nextInt(100)
        : EXPIRE_SECONDS_MIN + random.nextInt(EXPIRE_SECONDS_MAX);
  }

  private long time() {
    return seconds() < 0
        ? random.nextInt(1_000_000)
        : 2_000_000_000L + random.nextInt(EXPIRE_SECONDS_MAX);
  }

  private void some(List<byte[]> words, List<String> options) {
    for (String option : options) {
      if (random.nextInt(4) == 0) {
        words.add(bytes(option));
      }
    }
  }

  private void times(int max, Runnable run) {
    int count = random.nextInt(max + 1);
    for (int i = 0; i < count; i++) {
      run.run();
    }
  }

  private String one(List<String> of) {
    return of.get(random.nextInt(of.size()));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  /** A command as a person may read it. */
  static String shown(List<byte[]> words) {
    StringBuilder line = new StringBuilder();
    for (byte[] word : words) {
      String text = text(word);
      boolean plain = !text.isEmpty() && text.chars().allMatch(c -> c > ' ' && c < 127);
      line.append(plain ? text : "0x" + HexFormat.of().formatHex(word)).append(' ');
    }
    return line.toString().trim();
  }

  static byte[] word(String text) {
    return bytes(text);
  }

  static List<byte[]> words(String... words) {
    return Arrays.stream(words).map(CommandGenerator::bytes).toList();
  }
}
