// SPDX-License-Identifier: Apache-2.0
package dev.cairn.client;

import dev.cairn.protocol.RespReader;
import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.RespWriter;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;

/**
 * A server that answers RESP as a test says: each command goes to a script that returns the reply,
 * or {@link #CUT} to close the connection, or {@link #SILENCE} to answer nothing.
 */
final class FakeNode implements AutoCloseable {
  static final RespValue CUT = new RespValue.SimpleString("cut");
  static final RespValue SILENCE = new RespValue.SimpleString("silence");

  /** What a node does with a command, given as its words. */
  interface Script extends Function<List<String>, RespValue> {}

  private final ServerSocket server;
  private final Thread acceptor;
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();
  private final List<List<String>> heard = new CopyOnWriteArrayList<>();
  private volatile Script script;
  private volatile boolean greets = true;

  FakeNode(Script script) throws IOException {
    this(script, 0);
  }

  FakeNode(Script script, int port) throws IOException {
    this.script = script;
    server = new ServerSocket(port, 50, InetAddress.getByName("127.0.0.1"));
    acceptor = thread(this::accept);
  }

  Address address() {
    return new Address("127.0.0.1", server.getLocalPort());
  }

  void script(Script replacement) {
    script = replacement;
  }

  /** Whether connections are greeted; one that is not looks like a stopped process. */
  void greets(boolean on) {
    greets = on;
  }

  /** Every command heard, greetings and topology questions left out. */
  List<List<String>> heard() {
    return heard.stream()
        .filter(words -> !words.get(0).equals("CAIRN") || words.get(1).equals("WITH"))
        .toList();
  }

  long heard(String command) {
    return heard.stream().filter(words -> words.get(0).equals(command)).count();
  }

  int connections() {
    return sockets.size();
  }

  @Override
  public void close() throws IOException {
    server.close();
    joinAcceptor();
    cutAll();
  }

  void cutAll() throws IOException {
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
      InputStream in = socket.getInputStream();
      OutputStream out = new BufferedOutputStream(socket.getOutputStream());
      RespWriter writer = new RespWriter(out);
      RespReader reader = new RespReader();
      byte[] buffer = new byte[4096];
      while (true) {
        Optional<RespValue> command = reader.next();
        if (command.isEmpty()) {
          out.flush();
          int length = in.read(buffer);
          if (length < 0) {
            return;
          }
          reader.feed(buffer, 0, length);
          continue;
        }
        RespValue reply = reply(words(command.get()));
        if (reply == CUT) {
          return;
        }
        if (reply != SILENCE) {
          writer.write(reply, 3);
        }
      }
    } catch (IOException cut) {
      // As scripted.
    }
  }

  private RespValue reply(List<String> words) {
    if (words.get(0).equals("HELLO")) {
      return greets ? new RespValue.Dictionary(List.of()) : SILENCE;
    }
    heard.add(words);
    if (words.equals(List.of("CAIRN", "REPLICAS", "ON"))) {
      return RespValue.OK;
    }
    return script.apply(words);
  }

  private static List<String> words(RespValue command) {
    List<String> words = new ArrayList<>();
    for (RespValue word : ((RespValue.Array) command).elements()) {
      words.add(new String(((RespValue.Bulk) word).bytes(), StandardCharsets.UTF_8));
    }
    return words;
  }

  private static Thread thread(Runnable body) {
    Thread thread = new Thread(body, "fake-node");
    thread.setDaemon(true);
    thread.start();
    return thread;
  }
}
