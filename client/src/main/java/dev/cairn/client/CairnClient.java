// SPDX-License-Identifier: Apache-2.0
package dev.cairn.client;

import dev.cairn.protocol.Consistency;
import dev.cairn.protocol.Limits;
import dev.cairn.protocol.RespProtocolException;
import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.Slots;
import dev.cairn.protocol.Topology;
import dev.cairn.protocol.TopologyCodec;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * A client of one cluster. Thread-safe; one is enough for a process.
 *
 * <p>Each call goes straight to the node that leads the key's partition, turns to other nodes when
 * that one fails, and ends by its one deadline with an answer or a {@link CairnException} that says
 * for certain what became of the request. A read may be asked of several nodes; so may a write,
 * whose id makes it happen at most once.
 *
 * <p>Calls share a few pipelined connections, so many may be in flight at once: from many threads,
 * or with the methods that return a future. Futures complete on the client's own threads: what
 * hangs on them must not block. With {@link Builder#inFlightMax} requests in flight, a further call
 * waits for room, at most until its deadline.
 *
 * <pre>{@code
 * try (CairnClient client = CairnClient.builder().nodes("127.0.0.1:5000,127.0.0.1:5001").build()) {
 *   client.put("mykey", "myvalue");
 *   client.get("mykey").ifPresent(System.out::println);
 * }
 * }</pre>
 */
public final class CairnClient implements AutoCloseable {
  /** Large values take the network and three disks a while, and the nodes allow for it too. */
  private static final long DEADLINE_NANOS_PER_BYTE = 1_000_000_000L / (4 << 20);

  private static final byte[] SET = bytes("SET");
  private static final byte[] PXAT = bytes("PXAT");
  private static final byte[] GET = bytes("GET");
  private static final byte[] DEL = bytes("DEL");
  private static final byte[] EXISTS = bytes("EXISTS");
  private static final byte[] INCRBY = bytes("INCRBY");
  private static final byte[] APPEND = bytes("APPEND");

  private final Settings settings;
  private final CallContext context;
  private final InFlightBound inFlight;
  private final Optional<Consistency> readLevel;
  private final Optional<Consistency> writeLevel;

  private CairnClient(
      Settings settings, Optional<Consistency> readLevel, Optional<Consistency> writeLevel) {
    this(
        settings,
        new CallContext(settings),
        new InFlightBound(settings.inFlightMax(), settings.inFlightBytesMax()),
        readLevel,
        writeLevel);
  }

  private CairnClient(
      Settings settings,
      CallContext context,
      InFlightBound inFlight,
      Optional<Consistency> readLevel,
      Optional<Consistency> writeLevel) {
    this.settings = settings;
    this.context = context;
    this.inFlight = inFlight;
    this.readLevel = readLevel;
    this.writeLevel = writeLevel;
  }

  /**
   * This client with another level for its reads: {@code client.reading(ONE).get(key)}. It shares
   * this one's connections; closing either closes both.
   */
  public CairnClient reading(Consistency level) {
    return new CairnClient(settings, context, inFlight, Optional.of(level), writeLevel);
  }

  /** As {@link #reading}, for writes: QUORUM or ALL. */
  public CairnClient writing(Consistency level) {
    return new CairnClient(
        settings, context, inFlight, readLevel, Optional.of(requireWriteLevel(level)));
  }

  private static Consistency requireWriteLevel(Consistency level) {
    if (level == Consistency.ONE) {
      throw new IllegalArgumentException("level ONE is for reads");
    }
    return level;
  }

  /** Describes a client. */
  public static Builder builder() {
    return new Builder();
  }

  /** Stores a value: on return it is durable on a majority. */
  public void put(byte[] key, byte[] value) {
    await(startPut(key, value));
  }

  /** Stores a value in UTF-8. */
  public void put(String key, String value) {
    put(bytes(key), bytes(value));
  }

  /** The value of a key, empty when there is none. */
  public Optional<byte[]> get(byte[] key) {
    return await(startGet(key)).value();
  }

  /** The value of a key as UTF-8. */
  public Optional<String> get(String key) {
    return get(bytes(key)).map(value -> new String(value, StandardCharsets.UTF_8));
  }

  /** Removes a key; whether there was one. */
  public boolean delete(byte[] key) {
    return await(startDelete(key)).value();
  }

  /** Removes a key; whether there was one. */
  public boolean delete(String key) {
    return delete(bytes(key));
  }

  /** Whether there is such a key. */
  public boolean exists(byte[] key) {
    return await(startExists(key)).value();
  }

  /** Whether there is such a key. */
  public boolean exists(String key) {
    return exists(bytes(key));
  }

  /**
   * Adds to the number that a key holds; a key that is not there holds 0. However often the client
   * has to ask, the partition adds once.
   *
   * @param by may be negative
   * @return the number then
   * @throws RefusedException when the value is no integer of 64 bits, or the sum is none
   */
  public long increment(byte[] key, long by) {
    return await(startKeyed(true, CairnClient::number, INCRBY, key, bytes("" + by))).value();
  }

  /** As {@link #increment(byte[], long)}. */
  public long increment(String key, long by) {
    return increment(bytes(key), by);
  }

  /**
   * Appends to the value of a key; a key that is not there holds nothing. However often the client
   * has to ask, the partition appends once.
   *
   * @return how many bytes the value has then
   * @throws RefusedException when that would be more than a value may have
   */
  public long append(byte[] key, byte[] piece) {
    return await(startKeyed(true, CairnClient::number, APPEND, key, piece)).value();
  }

  /** As {@link #append(byte[], byte[])}, in UTF-8. */
  public long append(String key, String piece) {
    return append(bytes(key), bytes(piece));
  }

  /** {@link #put} with who answered, in flight on return. The value is always true. */
  public CompletableFuture<Answer<Boolean>> putAsync(byte[] key, byte[] value) {
    return startPut(key, value).future;
  }

  /**
   * As {@link #putAsync(byte[], byte[])}, of a value that expires.
   *
   * @param expiresAtMillis milliseconds since 1970, more than 0; in the past: the key is gone
   */
  public CompletableFuture<Answer<Boolean>> putAsync(
      byte[] key, byte[] value, long expiresAtMillis) {
    return startPut(key, value, PXAT, bytes(Long.toString(expiresAtMillis))).future;
  }

  /** {@link #get} with who answered, in flight on return. */
  public CompletableFuture<Answer<Optional<byte[]>>> getAsync(byte[] key) {
    return startGet(key).future;
  }

  /** {@link #delete} with who answered, in flight on return. */
  public CompletableFuture<Answer<Boolean>> deleteAsync(byte[] key) {
    return startDelete(key).future;
  }

  /** {@link #exists} with who answered, in flight on return. */
  public CompletableFuture<Answer<Boolean>> existsAsync(byte[] key) {
    return startExists(key).future;
  }

  /** {@link #put} with who answered and, if the client asked for them, the replicas' states. */
  public Answer<Boolean> putAndTell(byte[] key, byte[] value) {
    return await(startPut(key, value));
  }

  /** {@link #get} with who answered. */
  public Answer<Optional<byte[]>> getAndTell(byte[] key) {
    return await(startGet(key));
  }

  /** {@link #delete} with who answered and, if the client asked for them, the replicas' states. */
  public Answer<Boolean> deleteAndTell(byte[] key) {
    return await(startDelete(key));
  }

  /**
   * The cluster's state as a JSON document (docs/reference/formats.md), from the first node that
   * answers.
   */
  public String status() {
    byte[] document = await(startKeyless(CairnClient::bulk, "CAIRN", "STATUS")).value();
    return new String(document, StandardCharsets.UTF_8);
  }

  /**
   * What the first node that answers says of a command of its table.
   *
   * @param name of the command, in either case
   * @return what COMMAND DOCS has of it, a map in Redis' form; empty where there is no such command
   */
  public Optional<RespValue> commandDocs(String name) {
    return await(startKeyless(CairnClient::onlyValue, "COMMAND", "DOCS", name)).value();
  }

  /** The topology as the first node that answers sees it. */
  public Topology topology() {
    return await(startKeyless(TopologyCodec::decode, "CAIRN", "TOPOLOGY")).value();
  }

  /**
   * Some records of one partition, in the unsigned byte order of their keys: one read, at this
   * client's level. Whoever goes on where each page ends has all keys that were there all along.
   *
   * @param partition one of {@link #topology}
   * @param start the first key that may be in it; empty: from the very first on
   * @param end the first key past it; empty: to the very last
   * @param bytesMax of keys and values, 1 to 4 MiB; one record may have more
   */
  public RecordPage page(Topology.Partition partition, byte[] start, byte[] end, int bytesMax) {
    byte[][] words = {
      bytes("CAIRN"),
      bytes("RANGE"),
      bytes(Integer.toString(partition.index())),
      start,
      end,
      bytes(Integer.toString(bytesMax))
    };
    return await(
            start(
                new Call.Request(words, partition.firstSlot(), false, false, readLevel),
                RecordPage::decode))
        .value();
  }

  /**
   * Ends all connections. Calls in flight end at once: a write that may have been sent as unknown.
   */
  @Override
  public void close() {
    context.close();
    try {
      inFlight.awaitEmpty(1, TimeUnit.SECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
    context.stopTimer();
  }

  private Started<Boolean> startPut(byte[] key, byte[] value, byte[]... options) {
    if (value.length > settings.valueBytesMax()) {
      return Started.invalid(
          "the value has "
              + value.length
              + " bytes, the most is "
              + settings.valueBytesMax()
              + ": split it");
    }
    byte[][] words = Arrays.copyOf(new byte[][] {SET, key, value}, 3 + options.length);
    System.arraycopy(options, 0, words, 3, options.length);
    return startKeyed(true, reply -> true, words);
  }

  private Started<Optional<byte[]>> startGet(byte[] key) {
    return startKeyed(false, CairnClient::optionalBulk, GET, key);
  }

  private Started<Boolean> startDelete(byte[] key) {
    return startKeyed(true, CairnClient::positive, DEL, key);
  }

  private Started<Boolean> startExists(byte[] key) {
    return startKeyed(false, CairnClient::positive, EXISTS, key);
  }

  /** Starts a command whose second word is its key. */
  private <T> Started<T> startKeyed(
      boolean write, Function<RespValue, T> decode, byte[]... arguments) {
    byte[] key = arguments[1];
    if (key.length < Limits.KEY_BYTES_MIN) {
      return Started.invalid("the key is empty: it needs at least 1 byte");
    }
    if (key.length > Limits.KEY_BYTES_MAX) {
      return Started.invalid(
          "the key has "
              + key.length
              + " bytes, the most is "
              + Limits.KEY_BYTES_MAX
              + ": shorten it");
    }
    return start(
        new Call.Request(arguments, Slots.of(key), write, false, write ? writeLevel : readLevel),
        decode);
  }

  private <T> Started<T> startKeyless(Function<RespValue, T> decode, String... words) {
    return start(
        new Call.Request(words(words), Call.Request.NO_SLOT, false, false, Optional.empty()),
        decode);
  }

  private <T> Started<T> start(Call.Request request, Function<RespValue, T> decode) {
    long bytes = request.bytes();
    long deadlineNanos =
        System.nanoTime() + settings.deadline().toNanos() + bytes * DEADLINE_NANOS_PER_BYTE;
    Optional<UnavailableException> noRoom = acquire(bytes, deadlineNanos);
    if (noRoom.isPresent()) {
      return new Started<>(null, CompletableFuture.failedFuture(noRoom.get()));
    }
    Call call =
        new Call(context, request, settings.listener(), settings.attemptTimeout(), deadlineNanos);
    CompletableFuture<Answer<T>> future = new CompletableFuture<>();
    call.future()
        .whenComplete(
            (answer, failed) -> {
              inFlight.release(bytes);
              if (failed != null) {
                future.completeExceptionally(failed);
              } else {
                decode(future, request, answer, decode);
              }
            });
    call.start();
    return new Started<>(call, future);
  }

  private static <T> void decode(
      CompletableFuture<Answer<T>> future,
      Call.Request request,
      Answer<RespValue> answer,
      Function<RespValue, T> decode) {
    try {
      T value = decode.apply(answer.value());
      future.complete(new Answer<>(value, answer.node(), answer.replicas(), answer.ageMillis()));
    } catch (RespProtocolException unexpected) {
      String message = answer.node() + " answered out of turn: " + unexpected.getMessage();
      future.completeExceptionally(
          request.write()
              ? new UnknownOutcomeException(message, unexpected)
              : new RefusedException("ERR", message));
    }
  }

  private Optional<UnavailableException> acquire(long bytes, long deadlineNanos) {
    try {
      if (context.closed()) {
        return Optional.of(
            new UnavailableException(
                UnavailableException.Reason.STOPPED, "the client is closed", null));
      }
      if (inFlight.acquire(bytes, deadlineNanos - System.nanoTime())) {
        return Optional.empty();
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return Optional.of(
          new UnavailableException(
              UnavailableException.Reason.STOPPED, "interrupted before sending", interrupted));
    }
    return Optional.of(
        new UnavailableException(
            UnavailableException.Reason.TOO_MANY_IN_FLIGHT,
            "as many requests as this client may have ("
                + settings.inFlightMax()
                + ") were in flight until the deadline: send fewer at once",
            null));
  }

  private static <T> Answer<T> await(Started<T> started) {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return started.future.get();
        } catch (InterruptedException stop) {
          interrupted = true;
          if (started.call != null) {
            started.call.stop();
          }
        }
      }
    } catch (ExecutionException failed) {
      if (failed.getCause() instanceof CairnException known) {
        throw known;
      }
      throw new IllegalStateException(failed.getCause());
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static Optional<byte[]> optionalBulk(RespValue reply) {
    return reply instanceof RespValue.Nil ? Optional.empty() : Optional.of(bulk(reply));
  }

  private static byte[] bulk(RespValue reply) {
    if (reply instanceof RespValue.Bulk bulk) {
      return bulk.bytes();
    }
    if (reply instanceof RespValue.Verbatim verbatim) {
      return verbatim.bytes();
    }
    throw new RespProtocolException("no bulk string where one belongs");
  }

  private static Optional<RespValue> onlyValue(RespValue reply) {
    if (reply instanceof RespValue.Dictionary map) {
      return map.entries().stream().map(RespValue.Entry::value).findFirst();
    }
    throw new RespProtocolException("no map where one belongs");
  }

  private static long number(RespValue reply) {
    if (reply instanceof RespValue.Int number) {
      return number.value();
    }
    throw new RespProtocolException("expected an integer");
  }

  private static boolean positive(RespValue reply) {
    return number(reply) > 0;
  }

  static byte[][] words(String... words) {
    return Arrays.stream(words).map(CairnClient::bytes).toArray(byte[][]::new);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** A call under way, and what becomes of it. */
  private record Started<T>(Call call, CompletableFuture<Answer<T>> future) {
    static <T> Started<T> invalid(String message) {
      return new Started<>(
          null, CompletableFuture.failedFuture(new InvalidRequestException(message, null)));
    }
  }

  /** Describes a client. Not thread-safe. */
  public static final class Builder {
    private List<Address> nodes = Address.parseList("127.0.0.1:5000,127.0.0.1:5001,127.0.0.1:5002");
    private Duration deadline = Duration.ofSeconds(2);
    private Duration attemptTimeout;
    private Duration retryTime;
    private Duration connectTimeout = Duration.ofSeconds(2);
    private int connectionsPerNode = 1;
    private int inFlightMax = 1024;
    private long inFlightBytesMax = 64L * 1024 * 1024;
    private int valueBytesMax = Limits.VALUE_BYTES_MAX_DEFAULT;
    private boolean replicaStates;
    private boolean followTopology = true;
    private boolean writeIds = true;
    private Optional<Consistency> readLevel = Optional.empty();
    private Optional<Consistency> writeLevel = Optional.empty();
    private ClientListener listener = ClientListener.NONE;
    private Security security = Security.NONE;

    private Builder() {}

    /** Some nodes of the cluster, by their client ports; the rest is learned from them. */
    public Builder nodes(List<Address> addresses) {
      if (addresses.isEmpty()) {
        throw new IllegalArgumentException("at least one node is needed");
      }
      nodes = List.copyOf(addresses);
      return this;
    }

    /** {@link #nodes(List)}, written {@code host:port,host:port}. */
    public Builder nodes(String addresses) {
      return nodes(Address.parseList(addresses));
    }

    /**
     * The most that a call may take, from its start to its end, and a second more for each 4 MiB
     * that it sends; 2 seconds if not said.
     */
    public Builder deadline(Duration duration) {
      deadline = positive(duration, "deadline");
      return this;
    }

    /**
     * The most that one node may take before a read, or a write that was not sent yet, goes to the
     * next; half the deadline if not said. A write that was sent is waited for until the deadline.
     */
    public Builder attemptTimeout(Duration duration) {
      attemptTimeout = positive(duration, "attemptTimeout");
      return this;
    }

    /**
     * How long to go on trying while nodes refuse or cannot be reached, not counting the time that
     * silent nodes took; until the deadline if not said.
     */
    public Builder retryTime(Duration duration) {
      retryTime = positive(duration, "retryTime");
      return this;
    }

    /** The most that connecting and greeting may take, each; 2 seconds if not said. */
    public Builder connectTimeout(Duration duration) {
      connectTimeout = positive(duration, "connectTimeout");
      return this;
    }

    /** Connections to each node, 1 if not said. Requests for one slot share one. */
    public Builder connectionsPerNode(int count) {
      connectionsPerNode = positive(count, "connectionsPerNode");
      return this;
    }

    /** The most requests in flight, 1024 if not said. */
    public Builder inFlightMax(int requests) {
      inFlightMax = positive(requests, "inFlightMax");
      return this;
    }

    /**
     * The most bytes that requests in flight hold, 64 MiB if not said; one request may hold more.
     */
    public Builder inFlightBytesMax(long bytes) {
      if (bytes < 1) {
        throw new IllegalArgumentException("inFlightBytesMax must be positive, not " + bytes);
      }
      inFlightBytesMax = bytes;
      return this;
    }

    /** The longest value, 16 MiB if not said: as the nodes are configured. */
    public Builder valueBytesMax(int bytes) {
      valueBytesMax = positive(bytes, "valueBytesMax");
      return this;
    }

    /**
     * Whether answers to writes tell which replicas have them on disk; the nodes then wait for them
     * up to 200 ms before they answer. Off if not said.
     */
    public Builder replicaStates(boolean on) {
      replicaStates = on;
      return this;
    }

    /**
     * Whether to go straight to leaders; on if not said. Off: only the given nodes are asked, in
     * the given order, and pass requests on.
     */
    public Builder followTopology(boolean on) {
      followTopology = on;
      return this;
    }

    /**
     * Whether writes carry an id, by which their partition applies them at most once, so that one
     * whose outcome is unknown is sent again until the deadline; on if not said. Needs {@link
     * #followTopology}: the id is stamped with the cluster's time. Off: a write that may have left
     * this process is never repeated.
     */
    public Builder writeIds(boolean on) {
      writeIds = on;
      return this;
    }

    /** How much reads wait for; as the nodes are configured if not said. */
    public Builder readConsistency(Consistency level) {
      readLevel = Optional.of(level);
      return this;
    }

    /** How much writes wait for, QUORUM or ALL; as the nodes are configured if not said. */
    public Builder writeConsistency(Consistency level) {
      writeLevel = Optional.of(requireWriteLevel(level));
      return this;
    }

    /** TLS, and as whom to log in; in the clear and as nobody if not said. */
    public Builder security(Security how) {
      security = Objects.requireNonNull(how);
      return this;
    }

    /** Who is told when a call turns from one node to another. */
    public Builder listener(ClientListener told) {
      listener = Objects.requireNonNull(told);
      return this;
    }

    /** The client. It connects when first used. */
    public CairnClient build() {
      return new CairnClient(
          new Settings(
              nodes,
              deadline,
              attemptTimeout == null ? deadline.dividedBy(2) : attemptTimeout,
              retryTime == null ? deadline : retryTime,
              connectTimeout,
              connectionsPerNode,
              inFlightMax,
              inFlightBytesMax,
              valueBytesMax,
              replicaStates,
              followTopology,
              writeIds,
              security,
              listener),
          readLevel,
          writeLevel);
    }

    private static Duration positive(Duration duration, String name) {
      if (duration.isNegative() || duration.isZero()) {
        throw new IllegalArgumentException(name + " must be positive, not " + duration);
      }
      return duration;
    }

    private static int positive(int number, String name) {
      if (number < 1) {
        throw new IllegalArgumentException(name + " must be positive, not " + number);
      }
      return number;
    }
  }
}
