// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * {@code docs/reference/commands.md} is made from the table: {@code -Dcairn.rewrite=true} writes
 * it.
 */
final class CommandDocsTest {
  @Test
  void docsSayWhatTheTableSays() throws Exception {
    Path file = Path.of(System.getProperty("cairn.checkout"), "docs", "reference", "commands.md");
    String text = document();
    if (Boolean.getBoolean("cairn.rewrite")) {
      Files.createDirectories(file.getParent());
      Files.writeString(file, text);
    }
    assertThat(file).hasContent(text);
  }

  private static String document() {
    StringBuilder text =
        new StringBuilder(
            """
            # Commands

            Made from `CommandTable` (run `CommandDocsTest` with `-Dcairn.rewrite=true`): do not edit.

            What Redis has too answers as Redis 7 does, with Redis' error texts; *since* is the version of Redis that
            first had it (of Cairn, for `CAIRN`). What is not listed is not there yet:
            SUBSCRIBE and PUBLISH, keyspace notifications, Redis' collections; of the commands on keys that Redis 7.0
            has, `DUMP`, `RESTORE`, `MIGRATE`, `MOVE`, `SORT` and `SORT_RO`, and `SWAPDB`. They answer Redis' own error
            for an unknown command. [Reliability](../design/reliability.md#how-commands-are-compared-with-redis) says how
            Cairn's answers are compared with those of a redis-server.

            The client port answers any key and never sends `MOVED`. On the cluster port, keys that another node leads
            answer `MOVED`, and the keys of one command must share a slot (`CROSSSLOT`).

            ## What is atomic

            A command of one key is. On the client port `MSET`, `MGET`, `DEL`, `UNLINK`, `EXISTS` and `TOUCH` go to all
            partitions of their keys at once: what they do or see inside one partition is one step, over several it is
            not. If some partitions applied a write and others did not, or one cannot tell, the answer is
            `UNKNOWN possibly partly applied ...`: read before writing again.

            `MSETNX`, `MSETEX`, `RENAME`, `RENAMENX`, `COPY`, `BITOP` and `LCS` would break their promise over several
            partitions. Their keys must lie in one, or the answer is `CROSSSLOT`; keys with the same hash tag, such as
            `{user7}name` and `{user7}mail`, always do. `FLUSHALL` and `FLUSHDB` are atomic inside a partition.

            ## Transactions

            What stands between `MULTI` and `EXEC` is queued at the node and becomes one write of one partition: all of
            it or nothing, nothing in between, and reads in it see what the partition holds at that place. A command
            that fails changes nothing and stops no other, as in Redis. If the keys, those that are watched included,
            lie in several partitions, `EXEC` answers `CROSSSLOT` and does nothing: give them a common hash tag. On the
            cluster port they must share a slot, and a key that another node leads answers `MOVED` when it is queued;
            `EXEC` then answers `EXECABORT`.

            `WATCH` compares versions: each change of a key gives it a new one, also when it is deleted and made anew,
            and a key that expires has changed. `EXEC` with an unknown outcome answers `UNKNOWN`; with
            `CAIRN WITH ID ... DO EXEC` the transaction can be sent again and is applied once.

            A transaction holds at most 65,536 commands, and as many bytes as the longest value and 1 MiB; its answers may
            come to 16 MiB and one more value, past that its commands that answer a value fail. Commands
            without keys but `PING`, `ECHO`, `TIME`, `SELECT` and `UNWATCH`, those over all keys, and `LCS` may not stand in it.

            ## Scans

            On the client port `SCAN`, `KEYS`, `RANDOMKEY` and `DBSIZE` cover the whole cluster, on the cluster port what the
            node leads. A cursor names a partition and a place in it that the node which made it remembers; any other node
            asks that one. Where it is forgotten (that node is down, was started anew, or gave out 4,096 cursors since)
            the scan goes on at the partition's start: keys may be seen twice, none that was there all along is missed.
            Inside a partition keys come in their order, and a pattern's beginning, up to its first special
            character, is gone to directly; with a whole hash tag in it (`{user7}*`) one partition is asked only.
            `KEYS` sorts all it finds, and says so when they are too many for its memory (64 MiB).
            `CLUSTER COUNTKEYSINSLOT` and `GETKEYSINSLOT` walk over a partition. While a cluster-aware client scans node by
            node, a partition that changes its leader between two nodes' turns may be seen twice or not at all: scan
            on the client port where that matters.

            ## INFO

            The sections of Redis 7.0, asked for as there: `default`, `all`, `everything`, names, several of them. The figures are
            those of [the metrics](metrics.md). What has a label `port` there is told of the port that was asked: connections, bytes,
            reads and writes of sockets. All else is the node's: commands of both ports, without HTTP; `keyspace_hits` and `keyspace_misses`
            of the keys that this node's partitions were asked for, whoever asked. `CONFIG RESETSTAT` sets to 0 what Redis sets to 0.

            Fields with a meaning of Cairn's:

            | field | here |
            |---|---|
            | `used_memory`, `used_memory_dataset` | the JVM's heap in use, buffers outside it and RocksDB's memory; of it, the caches and write buffers that hold keys and values |
            | `allocator_allocated`, `allocator_active` | the heap in use, and what it has of the machine |
            | `mem_clients_normal`, `mem_clients_slaves` | what clients' requests and replies hold; what is on its way to other nodes |
            | `used_cpu_sys_main_thread`, `used_cpu_user_main_thread` | the event loops of the port |
            | `loading` | 1 while a replica that is placed here is not open yet |
            | `rdb_*` | local snapshots; `rdb_changes_since_last_save` counts log entries that are applied and not in a flushed table |
            | `aof_current_size`, `aof_base_size`, `aof_last_write_status` | the write-ahead log, the tables of data, `err` once the log is damaged |
            | `aof_buffer_length` | bytes of writes that wait for their turn to be proposed |
            | `repl_backlog_histlen`, `repl_backlog_size` | the log, which brings replicas up to date; what full replicas keep of it at most for those that lag |
            | `sync_full`, `sync_partial_err` | copies of data made for replicas that the log could not bring up to date |
            | `expired_time_cap_reached_count` | sweeps that removed as many keys as one may |
            | `unexpected_error_replies` | answers `UNKNOWN` |
            | `usec`, `latency_percentiles_usec_*` | from decoded to answered, waiting for disks and other nodes included; percentiles are estimated inside the buckets of the histogram. What `EXEC` carries out has equal shares of its time |

            What has no meaning here is absent, not 0: eviction, fork, copy on write, rewriting of the append-only file, active defragmentation,
            scripts, functions, modules, pub/sub, client-side caching, replicas of this node by name and their offsets. `MEMORY USAGE` counts as a read of its
            key, and `SCAN` with `TYPE` does not.

            ## When keys expire

            By partition time ([time](../design/rooms/partition.md#time)), never early: a time to live is added to it when the
            write is applied, and a key is gone when a log entry has reached its time. Never back: a read that meets a key
            whose time is up by the leader's clock has that time logged first. `TTL` counts from the leader's clock. A key
            that has expired is removed soon after, at most 10,000 a second and partition, so that a million that expire at
            once do not hold up writes; until then `DBSIZE` counts it. The disk has its bytes back when the removals are
            flushed, after 4,096 entries or 32 MiB of the partition's log, or ten minutes, and the tables that they fill
            are compacted, which begins at once then.

            ## Differences from Redis

            | what | Redis | Cairn | why |
            |---|---|---|---|
            | the empty key | a key | an error | a key is 1 to 65,536 bytes |
            | longest value | 512 MB | 16 MiB, `--value-bytes-max` | a value is one log entry; `APPEND`, `SETRANGE`, `SETBIT` and `BITFIELD` say Redis' error at that bound |
            | `OBJECT ENCODING` | how the value came to be | by the value alone | values are bytes; so it is the same on every node |
            | `OBJECT IDLETIME`, `REFCOUNT`, `FREQ`, `TOUCH` | what was used when | 0, 1, an error, the number of keys | reads change nothing, or each would be a write |
            | `MEMORY USAGE` | allocated bytes | about the bytes stored | values lie in RocksDB |
            | keys over partitions | no such thing | `CROSSSLOT`, see above | atomic or refused |
            | `MGET` of several keys | any number of bytes | values of at most 32 MiB, else an error | they are gathered in memory |
            | `LCS` of long values | up to `proto-max-bulk-len` | a table of at most 64 MiB | it is computed beside other reads |
            | `BITFIELD` with `GET` only | a write | a read | it changes nothing |
            | errors that repeat a word which is no UTF-8 | its bytes | U+FFFD in their place | an error is a line of text |
            | `SELECT`, `COPY ... DB` | 16 databases | 1 | as in Redis Cluster |
            | `WAIT` | waits for ever at 0 | at most 30 s, for the last write only | every write is on a majority before its reply |
            | `SHUTDOWN` | no reply, for everybody | `OK`, for clients on the node's own machine (`--enable-shutdown`) | so that one knows it began; it is one mistake away from an outage |
            | `SLOWLOG GET` | all arguments | keys, and of other arguments the size (`--slowlog-values`) | values are nobody's who looks after nodes |
            | a pattern of `KEYS`, `SCAN`, `CONFIG GET` | any length | at most 65,536 bytes | as long as a key; what it costs is bounded, and no client waits for another's |
            | `CONFIG SET` | many settings | the slow log's | all else is fixed at start |
            | `WATCH` of a missing key | any change counts | a key that is missing again at `EXEC` has not changed | versions are kept with keys |
            | `CLIENT`, `CONFIG`, `INFO` and the like, `DBSIZE`, `SCAN`, `KEYS`, `FLUSHALL`, `WAIT`, `LCS` in `MULTI` | queued | an error | a transaction is one write of one partition |
            | `RANDOMKEY` | any key | one of a hundred that lie side by side; calls go over all | keys lie on disk in their order |
            | a key set with a time that is over (`SET k v EXAT 1`) | counted by `DBSIZE` and `MEMORY USAGE` until somebody asks for it | never there | it has expired |
            | `SCAN` | in the order of a hash table | partition after partition, in each in the order of keys | an order over all partitions would ask each of them for every page; `KEYS` and `GET /v1/kv` have it |
            | `SCAN ... COUNT` | any | at most 10,000 | a page is bounded |
            | `KEYS` | any number of keys | an error past 64 MiB of them: `SCAN` instead | all are sorted in memory |
            | `MULTI` | any number of commands and bytes | 65,536 commands, bytes as above, answers of 16 MiB and one more value | a transaction is one log entry |
            | `INFO`: `cluster_enabled`, `redis_mode` | one tells the other | `cluster_enabled:1` on both ports, `redis_mode:standalone` on the client port | the client port is one Redis that can seed a client in cluster mode: redis-py takes no seed that says 0 |
            | `INFO`: `expires`, `avg_ttl` | how many keys expire, and when | 0 | counting them would walk over every key |
            | `ACL GETUSER`, `ACL LIST`: commands | rules put together anew | the rules in their order, as Redis 7.2 tells them | what was said is what is read |
            | `ACL SETUSER`, `ACL DELUSER`, `requirepass` | of one server, at once | of the cluster: `OK` once every node that is up acts on it, else `NOTALL` | a right that was taken away is gone everywhere |
            | `ACL SETUSER`: a change after which nobody can give rights | taken | refused | there would be no way back |
            | `ACL SETUSER <password` that is not there | the error repeats it | `<(redacted)` | passwords stand in no message |
            | `CONFIG GET requirepass` | the password | whether there is one | only its hash is kept |
            | `ACL SAVE`, `ACL LOAD`, Pub/Sub channels | a file, channels | no such subcommands; channels are kept and of no use | users are the cluster's; there are no channels |

            Small ones, most of them shown by `.ci/manners`:

            - a request without words uses up no `CLIENT REPLY SKIP`;
            - a request has at most 1,048,576 words;
            - what does not end a bulk string or a line ends the connection;
            - a line may end in a line feed alone;
            - a zero byte in an inline command is a blank;
            - what came before `POST` or `Host:` in the same bytes is answered;
            - `HELLO` changes all that it is told to or nothing;
            - `CLIENT LIST` and `CLIENT INFO` end in the library's name and version, as since 7.2;
              what has no meaning here is 0 in them: `fd`, `qbuf`, `argv-mem`, `rbs` and the like;
            - `CLIENT PAUSE` holds up no `CLIENT` command, no HTTP and no other port or node;
            - `CLIENT TRACKING ON` is refused: client-side caching is not there;
            - `CLIENT UNBLOCK` answers 0 for a client that waits in `WAIT`;
            - `MODULE LOAD`, `MEMORY DOCTOR` and `MEMORY MALLOC-STATS` are not there;
            - `MEMORY STATS` has the fields that mean something here: of the heap, and of what clients hold;
            - `slowlog-max-len` is at most 100,000.

            ## Other protocols

            The client port speaks HTTP with a connection whose first line is a request line of HTTP: a method, a
            target that begins with `/`, `http://` or `https://` or is `*`, and `HTTP/` with a version. Any other
            first line is a command, `SET k2 HTTP/1.1` too. On the cluster port HTTP is answered with 501.

            `POST` or `Host:` as a command ends the connection on both ports, as in Redis. Nothing behind it is
            carried out, so that a page in a browser cannot write through a form.

            ## Commands

            A key has 1 to 65,536 bytes, a value at most 16 MiB unless the node is configured otherwise.

            A connection's requests take effect in the order it sent them. Pipelined reads travel together, and so do
            pipelined writes; a read after a write, or a write after a read, waits for all before it. Which of them a request is
            follows from its options too: GETEX without any reads. INFO, SLOWLOG, CONFIG SET and SHUTDOWN wait for all before them.

            | command | since | complexity | what it does |
            |---|---|---|---|
            """);
    for (Command row : CommandTable.rows()) {
      if (row.subcommands().isEmpty() || CommandTable.isCalled(row)) {
        line(text, row);
      }
      row.subcommands().forEach(subcommand -> line(text, subcommand));
    }
    return text.toString();
  }

  private static void line(StringBuilder text, Command row) {
    List<String> aliases =
        row.aliases().stream()
            .map(alias -> "`" + alias.toUpperCase(java.util.Locale.ROOT) + "`")
            .toList();
    text.append("| `")
        .append(row.syntax().replace("|", "\\|"))
        .append("`")
        .append(aliases.isEmpty() ? "" : ", also " + String.join(", ", aliases))
        .append(" | ")
        .append(row.description().since())
        .append(" | ")
        .append(row.description().complexity())
        .append(" | ")
        .append(row.summary())
        .append(" |\n");
  }
}
