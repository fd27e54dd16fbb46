// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.RespWriter;
import dev.cairn.server.command.Effect;
import dev.cairn.server.command.RequestMemory;
import dev.cairn.server.routing.ReplyMemory;
import java.util.ArrayDeque;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * The requests of one connection that are in flight, in their order, and what they hold.
 *
 * <p><b>Threads.</b> The connection's event loop, but for {@link Place#accept}, which any thread
 * may call: it leaves the reply in its place and says so.
 *
 * <p><b>Invariants.</b>
 *
 * <ol>
 *   <li>Replies are written in the order of their requests.
 *   <li>A request's memory is given back once, when it was answered: until then it is in use,
 *       whether its connection is still there or not.
 *   <li>What a large reply holds is counted in {@link ReplyMemory} from when it is there until it
 *       was sent, or until the connection is gone.
 * </ol>
 */
final class PendingReplies {
  /** What replies in flight may come to, by their expected size, bytes. */
  private static final long EXPECTED_REPLY_BYTES_MAX = 32L * 1024 * 1024;

  /** How large a reply is thought to be before there was one: the first reads go by the dozen. */
  private static final long FIRST_REPLY_BYTES = 2L * 1024 * 1024;

  private final FrontConfig config;
  private final RequestMemory memory;
  private final ReplyMemory replies;
  private final Runnable answered;
  private final ArrayDeque<Place> places = new ArrayDeque<>();
  private long requestBytes; // held by the requests in flight
  private int orderedPlaces; // of places, those that do something
  private Effect effect = Effect.NOTHING; // what all of these do; a report counts as a read
  private long expectedReplyBytes = FIRST_REPLY_BYTES; // the largest reply lately

  /**
   * Creates those of a connection of which nothing is in flight.
   *
   * @param memory where requests' bytes were taken
   * @param answered run on whatever thread a reply came, each time
   */
  PendingReplies(FrontConfig config, RequestMemory memory, ReplyMemory replies, Runnable answered) {
    this.config = config;
    this.memory = memory;
    this.replies = replies;
    this.answered = answered;
  }

  boolean isEmpty() {
    return places.isEmpty();
  }

  /** Whether another request may be in flight; one always may. */
  boolean hasRoom() {
    return places.isEmpty()
        || (places.size() < config.bounds().inFlightMax()
            && requestBytes < config.bounds().requestBytesMax()
            && (effect != Effect.READS
                || orderedPlaces * expectedReplyBytes < EXPECTED_REPLY_BYTES_MAX));
  }

  /** Whether a request must wait until those before it were answered. */
  boolean mustWait(Effect wanted, long bytes) {
    boolean crosses =
        switch (wanted) {
          case NOTHING -> false;
          case READS, WRITES -> orderedPlaces > 0 && wanted != effect;
          case REPORTS -> !places.isEmpty();
        };
    boolean full = !places.isEmpty() && requestBytes + bytes > config.bounds().requestBytesMax();
    return crosses || full;
  }

  /**
   * A place behind all others for a request's reply.
   *
   * @param bytes that the request holds
   * @param does what it does
   * @param version of the protocol in which the reply is to be written
   */
  Place add(long bytes, Effect does, int version) {
    boolean ordered = does != Effect.NOTHING;
    Place place = new Place(bytes, ordered, version);
    places.add(place);
    requestBytes += bytes;
    if (ordered) {
      orderedPlaces++;
      effect = does == Effect.WRITES ? Effect.WRITES : Effect.READS;
    }
    return place;
  }

  /** Writes the replies that are there, up to the first that is not; true if any was. */
  boolean write(RespWriter writer, ReplyOutput output) {
    boolean any = false;
    while (!places.isEmpty() && places.peek().reply != null) {
      Place place = places.poll();
      requestBytes -= place.bytes;
      if (place.ordered) {
        orderedPlaces--;
      }
      long before = output.bytes();
      if (place.silent) {
        place.release();
      } else {
        writer.write(place.reply, place.version);
        place.releaseWhenSent(output);
      }
      expectedReplyBytes =
          Math.max(output.bytes() - before, expectedReplyBytes - expectedReplyBytes / 16);
      any = true;
    }
    return any;
  }

  /** The connection is gone. What is in flight gives its memory back when it is answered. */
  void abandon() {
    places.forEach(Place::abandon);
    places.clear();
  }

  /** What a reply holds in values that are sent as they are; the rest is little. */
  private static long largeBytes(RespValue value) {
    if (value instanceof RespValue.Bulk bulk) {
      int length = bulk.bytes().length;
      return length < ReplyOutput.BY_REFERENCE_BYTES_MIN ? 0 : length;
    } else if (value instanceof RespValue.Array array) {
      return array.elements().stream().mapToLong(PendingReplies::largeBytes).sum();
    }
    return value instanceof RespValue.Attributed attributed ? largeBytes(attributed.value()) : 0;
  }

  /** The place of one request among the replies. */
  final class Place implements Consumer<RespValue> {
    private final long bytes;
    private final boolean ordered;
    private final AtomicBoolean memoryGiven = new AtomicBoolean();
    private final AtomicLong held = new AtomicLong(); // bytes of the reply, counted in replies
    private volatile boolean abandoned;
    private int version;
    private boolean silent;
    private volatile RespValue reply;

    private Place(long bytes, boolean ordered, int version) {
      this.bytes = bytes;
      this.ordered = ordered;
      this.version = version;
    }

    /**
     * How the reply is to leave, where the request itself changed that. On the loop, which has not
     * looked for the reply since the request was started.
     *
     * @param protocolVersion HELLO's own reply is in the version that it asked for
     * @param unsent CLIENT REPLY: the reply is not sent
     */
    void leaves(int protocolVersion, boolean unsent) {
      version = protocolVersion;
      silent = unsent;
    }

    @Override
    public void accept(RespValue value) {
      giveMemory();
      hold(largeBytes(value));
      reply = value;
      answered.run();
    }

    private void hold(long bytesOfReply) {
      if (bytesOfReply > 0) {
        replies.take(bytesOfReply);
        held.set(bytesOfReply);
        if (abandoned) {
          release();
        }
      }
    }

    private void releaseWhenSent(ReplyOutput output) {
      if (held.get() > 0) {
        output.whenSent(this::release);
      }
    }

    private void release() {
      replies.give(held.getAndSet(0));
    }

    private void abandon() {
      abandoned = true;
      release();
      if (reply != null) {
        giveMemory();
      }
    }

    private void giveMemory() {
      if (memoryGiven.compareAndSet(false, true)) {
        memory.give(bytes);
      }
    }
  }
}
