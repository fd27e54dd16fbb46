// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.protocol.ReplicaAttribute;
import dev.cairn.protocol.RespReader;
import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.RespWriter;
import dev.cairn.protocol.Slots;
import dev.cairn.protocol.Topology;
import dev.cairn.protocol.TopologyCodec;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;

/**
 * A cluster of one process that keeps keys in a map and answers as a node named 127.0.0.1:5000 with
 * a replica on 5001 would. A test may answer a command differently first.
 */
final class FakeCluster implements AutoCloseable {
  /** Closes the connection instead of answering. */
  static final RespValue CUT = new RespValue.SimpleString("cut");

  final Map<String, RespValue> values = new ConcurrentHashMap<>();
  final Map<String, Long> expiries = new ConcurrentHashMap<>();
  private final int partitions;
  private final ServerSocket server;
  private final Thread acceptor;
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();
  private volatile Function<List<String>, Optional<RespValue>> first = words -> Optional.empty();
  private volatile String status = "{}";
  private volatile boolean behind;

  FakeCluster() throws IOException {
    this(1);
  }

  FakeCluster(int partitions) throws IOException {
    this.partitions = partitions;
    server = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
    acceptor = thread(this::accept);
  }

  String nodes() {
    return "127.0.0.1:" + server.getLocalPort();
  }

  void first(Function<List<String>, Optional<RespValue>> answer) {
    first = answer;
  }

  void status(String json) {
    status = json;
  }

  void behind(boolean on) {
    behind = on;
  }

  @Override
  public void close() throws IOException {
    server.close();
    joinAcceptor();
    for (Socket socket : sockets) {
      socket.close();
    }
  }

  /** Until its thread has left, the kernel may still take a connection. */
  private void joinAcceptor() {
    try {
      acceptor.join();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void accept() {
    try {
      while (true) {
        Socket socket = server.accept();
        sockets.add(socket);
        thread(() -> serve(socket));
      }
    } catch (IOException closed) {
      // The test is over.
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      OutputStream out = new BufferedOutputStream(socket.getOutputStream());
      RespWriter writer = new RespWriter(out);
      RespReader reader = new RespReader();
      byte[] buffer = new byte[65_536];
      boolean replicas = false;
      while (true) {
        Optional<RespValue> received = reader.next();
        if (received.isEmpty()) {
          out.flush();
          int length = socket.getInputStream().read(buffer);
          if (length < 0) {
            return;
          }
          reader.feed(buffer, 0, length);
          continue;
        }
        List<byte[]> words = new ArrayList<>();
        ((RespValue.Array) received.get())
            .elements()
            .forEach(word -> words.add(((RespValue.Bulk) word).bytes()));
        List<String> texts =
            words.stream().map(word -> new String(word, StandardCharsets.ISO_8859_1)).toList();
        int command = texts.indexOf("DO") + 1; // of CAIRN WITH; else 0
        RespValue reply =
            first
                .apply(texts)
                .orElseGet(
                    () ->
                        answer(
                            texts.subList(command, texts.size()),
                            words.subList(command, words.size())));
        if (reply == CUT) {
          return;
        }
        replicas |= texts.get(0).equals("CAIRN") && texts.get(1).equals("REPLICAS");
        writer.write(replicas ? attributed(texts.get(command), reply) : reply, 3);
      }
    } catch (IOException cut) {
      // As scripted.
    }
  }

  private RespValue attributed(String command, RespValue reply) {
    if (reply instanceof RespValue.ErrorReply
        || reply instanceof RespValue.Attributed
        || command.equals("CAIRN")) {
      return reply;
    }
    boolean write = command.equals("SET") || command.equals("DEL");
    return new ReplicaAttribute(
            "127.0.0.1:5000",
            write
                ? List.of(
                    new ReplicaAttribute.Replica("127.0.0.1:5000", true),
                    new ReplicaAttribute.Replica("127.0.0.1:5001", !behind))
                : List.of(),
            0)
        .before(reply);
  }

  private RespValue answer(List<String> texts, List<byte[]> words) {
    return switch (texts.get(0)) {
      case "HELLO" -> new RespValue.Dictionary(List.of());
      case "CAIRN" ->
          switch (texts.get(1)) {
            case "TOPOLOGY" -> TopologyCodec.encode(topology(), java.util.OptionalLong.empty());
            case "STATUS" -> RespValue.bulk(status);
            case "RANGE" -> range(texts);
            default -> RespValue.OK;
          };
      case "PING" -> new RespValue.SimpleString("PONG");
      case "COMMAND" -> new RespValue.Dictionary(List.of());
      case "SET" -> {
        values.put(texts.get(1), new RespValue.Bulk(words.get(2)));
        expiries.remove(texts.get(1));
        if (texts.size() == 5 && texts.get(3).equals("PXAT")) {
          expiries.put(texts.get(1), Long.parseLong(texts.get(4)));
        }
        yield RespValue.OK;
      }
      case "GET" -> values.getOrDefault(texts.get(1), RespValue.NIL);
      case "DEL" -> new RespValue.Int(values.remove(texts.get(1)) == null ? 0 : 1);
      default -> new RespValue.ErrorReply("ERR unknown command");
    };
  }

  /** As a node pages through a partition. */
  private RespValue range(List<String> texts) {
    int partition = Integer.parseInt(texts.get(2));
    long bytesLeft = Long.parseLong(texts.get(5));
    List<RespValue> page = new ArrayList<>();
    for (String key : new TreeSet<>(values.keySet())) { // ISO 8859-1: in the order of bytes
      boolean inRange =
          key.compareTo(texts.get(3)) >= 0
              && (texts.get(4).isEmpty() || key.compareTo(texts.get(4)) < 0);
      if (!inRange || partitionOf(key) != partition) {
        continue;
      }
      byte[] value = ((RespValue.Bulk) values.get(key)).bytes();
      bytesLeft -= key.length() + value.length;
      if (bytesLeft < 0 && !page.isEmpty()) {
        return RespValue.array(new RespValue.Bulk(bytes(key)), new RespValue.Array(page));
      }
      page.add(
          RespValue.array(
              new RespValue.Bulk(bytes(key)),
              new RespValue.Int(expiries.getOrDefault(key, -1L)),
              new RespValue.Bulk(value)));
    }
    return RespValue.array(RespValue.NIL, new RespValue.Array(page));
  }

  private int partitionOf(String key) {
    return Slots.of(bytes(key)) * partitions / Slots.COUNT;
  }

  private static byte[] bytes(String key) {
    return key.getBytes(StandardCharsets.ISO_8859_1);
  }

  private Topology topology() {
    List<Topology.Partition> all = new ArrayList<>();
    int first = 0;
    for (int i = 0; i < partitions; i++) {
      int next = (int) Math.ceil((i + 1.0) * Slots.COUNT / partitions);
      all.add(
          new Topology.Partition(
              i, first, next - 1, List.of("a"), Optional.empty(), Optional.of("a")));
      first = next;
    }
    return new Topology(
        "cluster",
        1,
        List.of(new Topology.Node("a", "127.0.0.1", server.getLocalPort(), 0, true)),
        all);
  }

  private static Thread thread(Runnable body) {
    Thread thread = new Thread(body, "fake-cluster");
    thread.setDaemon(true);
    thread.start();
    return thread;
  }
}
