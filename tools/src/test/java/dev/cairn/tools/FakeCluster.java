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
  private final ServerSocket server;
  private final Thread acceptor;
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();
  private volatile Function<List<String>, Optional<RespValue>> first = words -> Optional.empty();
  private volatile String status = "{}";
  private volatile boolean behind;

  FakeCluster() throws IOException {
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
            default -> RespValue.OK;
          };
      case "COMMAND" -> new RespValue.Dictionary(List.of());
      case "SET" -> {
        values.put(texts.get(1), new RespValue.Bulk(words.get(2)));
        yield RespValue.OK;
      }
      case "GET" -> values.getOrDefault(texts.get(1), RespValue.NIL);
      case "DEL" -> new RespValue.Int(values.remove(texts.get(1)) == null ? 0 : 1);
      default -> new RespValue.ErrorReply("ERR unknown command");
    };
  }

  private Topology topology() {
    return new Topology(
        "cluster",
        1,
        List.of(new Topology.Node("a", "127.0.0.1", server.getLocalPort(), 0, true)),
        List.of(
            new Topology.Partition(
                0, 0, Slots.COUNT - 1, List.of("a"), Optional.empty(), Optional.of("a"))));
  }

  private static Thread thread(Runnable body) {
    Thread thread = new Thread(body, "fake-cluster");
    thread.setDaemon(true);
    thread.start();
    return thread;
  }
}
