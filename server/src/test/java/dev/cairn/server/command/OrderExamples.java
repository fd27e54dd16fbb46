// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Calls of every command that may touch data, with options that change what it does, and of those
 * that tell of other requests: {@link #all} is held against the {@link CommandTable}. Keys are
 * {@code {u}a}, {@code {u}b} and {@code {u}c}. A call of several requests is cut at semicolons.
 */
public final class OrderExamples {
  private static final String CALLS =
      """
      GET {u}a
      SET {u}a 1
      SET {u}a 1 GET
      SET {u}a 1 NX
      SET {u}a 1 NX XX
      PUT {u}a 2
      SETNX {u}a 1
      SETEX {u}a 100 1
      SETEX {u}a nan 1
      PSETEX {u}a 100000 1
      GETSET {u}a 1
      GETDEL {u}a
      GETEX {u}a
      GETEX {u}a EX 100
      GETEX {u}a EX 0
      GETEX {u}a PERSIST
      GETEX {u}a nonsense
      DELEX {u}a
      DELEX {u}a IFEQ 5
      DELEX {u}a IFDEQ short
      DIGEST {u}a
      MGET {u}a {u}b
      MSET {u}a 1 {u}c 2
      MSET {u}a 1 {u}c
      MSETNX {u}a 1 {u}c 2
      MSETEX 1 {u}a 1 NX
      MSETEX 9 {u}a 1
      APPEND {u}a 1
      STRLEN {u}a
      GETRANGE {u}a 0 -1
      GETRANGE {u}a 0 nan
      SUBSTR {u}a 0 -1
      SETRANGE {u}a 1 x
      SETRANGE {u}a 0 ""
      SETRANGE {u}a -1 x
      INCR {u}a
      DECR {u}a
      INCRBY {u}a 5
      INCRBY {u}a nan
      DECRBY {u}a 5
      INCRBYFLOAT {u}a 0.5
      LCS {u}a {u}b
      LCS {u}a {u}b LEN
      LCS {u}a {u}b LEN IDX
      SETBIT {u}a 1 1
      SETBIT {u}a 1 2
      GETBIT {u}a 2
      BITCOUNT {u}a
      BITCOUNT {u}a 0 nan
      BITCOUNT {u}a -1 -5
      BITPOS {u}a 1
      BITPOS {u}a 1 nan
      BITOP AND {u}c {u}a {u}b
      BITOP NOR {u}c {u}a {u}b
      BITFIELD {u}a
      BITFIELD {u}a GET u8 0
      BITFIELD {u}a SET u8 0 65
      BITFIELD {u}a INCRBY u8 0 1 GET u8 0
      BITFIELD {u}a OVERFLOW FAIL GET u8 0
      BITFIELD_RO {u}a GET u8 0
      BITFIELD_RO {u}a SET u8 0 1
      DEL {u}a {u}b
      DELETE {u}a
      UNLINK {u}a
      EXISTS {u}a {u}b {u}a
      TOUCH {u}a {u}b
      TYPE {u}a
      RENAME {u}a {u}c
      RENAMENX {u}a {u}c
      COPY {u}a {u}c
      COPY {u}a {u}c DB 0 REPLACE
      COPY {u}a {u}a
      OBJECT ENCODING {u}a
      OBJECT IDLETIME {u}a
      OBJECT REFCOUNT {u}a
      OBJECT FREQ {u}a
      OBJECT NONSENSE {u}a
      MEMORY USAGE {u}a
      MEMORY USAGE {u}a SAMPLES 5
      EXPIRE {u}a 100
      EXPIRE {u}a -1
      EXPIRE {u}a 100 NX
      EXPIRE {u}a 100 NX XX
      PEXPIRE {u}a 100000
      EXPIREAT {u}a 99999999999
      PEXPIREAT {u}a 99999999999999
      TTL {u}a
      PTTL {u}a
      EXPIRETIME {u}a
      PEXPIRETIME {u}a
      PERSIST {u}a
      DBSIZE
      FLUSHDB
      FLUSHALL ASYNC
      FLUSHALL nonsense
      SCAN 0
      SCAN 0 TYPE list
      SCAN nan
      KEYS *
      KEYS {u}?
      DEL {u}b;RANDOMKEY
      CLUSTER COUNTKEYSINSLOT 11826
      CLUSTER GETKEYSINSLOT 11826 10
      CLUSTER GETKEYSINSLOT 11826 0
      CAIRN RANGE 4 {u}a {u}z 1000
      CAIRN RANGE 4 {u}a {u}z nan
      WAIT 0 10
      WAIT 0 nan
      EXEC
      WATCH {u}a;MULTI;GET {u}a;EXEC
      WATCH {u}a;SET {u}a 9;MULTI;GET {u}a;EXEC
      WATCH {u}a;UNWATCH;SET {u}a 9;MULTI;GET {u}a;EXEC
      MULTI;GETEX {u}a;OBJECT ENCODING {u}a;INCR {u}a;EXEC
      MULTI;PING;EXEC
      MULTI;EXEC
      MULTI;GET {u}a;nonsense;EXEC
      MULTI;GET {u}a;CAIRN WITH ID x 1 1 DO GET {u}a;EXEC
      MULTI;WATCH {u}a;SET {u}a 8;DISCARD
      INFO keyspace
      CONFIG SET slowlog-log-slower-than 0;SLOWLOG RESET;SET {u}c 1;SLOWLOG LEN;CONFIG SET slowlog-log-slower-than -1
      CAIRN CONSISTENCY READ ONE;GETEX {u}a;GET {u}a;CAIRN CONSISTENCY READ QUORUM
      CAIRN WITH CONSISTENCY ONE DO OBJECT ENCODING {u}a
      CAIRN WITH CONSISTENCY ONE DO GETEX {u}a
      CAIRN WITH CONSISTENCY NONSENSE DO GET {u}a
      PING
      ECHO x
      nonsense {u}a
      GET
      """;

  private OrderExamples() {}

  /** Each call, as the requests that it consists of. */
  public static List<List<String>> all() {
    return CALLS.lines().map(line -> List.of(line.split(";"))).toList();
  }

  /** Whether a call reads or writes keys by itself, so that it may stand behind CAIRN WITH. */
  public static boolean touchesKeys(List<String> call) {
    Command command = commandOf(call.get(0));
    return call.size() == 1 && command != null && command.access() != Command.Access.NONE;
  }

  /** The commands of the table that may touch data and have no example, as they are called. */
  public static List<String> missing() {
    List<Command> called =
        all().stream().flatMap(List::stream).map(OrderExamples::commandOf).toList();
    List<String> missing = new ArrayList<>();
    CommandTable.rows().stream()
        .flatMap(row -> Stream.concat(Stream.of(row), row.subcommands().stream()))
        .filter(command -> command.access() != Command.Access.NONE && !called.contains(command))
        .forEach(command -> missing.add(command.syntax()));
    return missing;
  }

  private static Command commandOf(String request) {
    String[] words = request.toLowerCase(Locale.ROOT).split(" ");
    Command row = CommandTable.find(words[0]);
    if (row == null || row.subcommands().isEmpty() || words.length == 1) {
      return row;
    }
    return row.subcommands().stream()
        .filter(subcommand -> subcommand.name().equals(words[1]))
        .findFirst()
        .orElse(null);
  }
}
