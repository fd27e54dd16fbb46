// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.cairn.server.storage.NativeLibrary;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.ParseResult;

/**
 * Starts three nodes in this process, asks them for a few things over both protocols, and ends.
 *
 * <p>Run by the launcher after a build, with the JVM told to write down the classes that were
 * loaded (class data sharing, JEP 350): a node that starts with that archive need not read, verify
 * and link them again. Nothing here runs in a node. docs/design/decisions/0024 has the figures.
 */
public final class Rehearsal {
  private static final int NODES = 3;
  private static final int KEYS = 200;
  private static final long READY_WITHIN_NANOS = 30_000_000_000L;
  private static final int SOCKET_TIMEOUT_MILLIS = 5_000;
  private static final long END_AFTER_MILLIS = 90_000;

  private final List<Node> nodes = new ArrayList<>(); // guarded by this

  private Rehearsal() {}

  /**
   * Runs it; ends the process with 0, or 1 where it failed or took more than {@value
   * #END_AFTER_MILLIS} ms.
   *
   * @param arguments an empty folder for the nodes' data, which the caller removes; and the folder
   *     that gets RocksDB's library
   */
  public static void main(String[] arguments) {
    endAfter(END_AFTER_MILLIS);
    try {
      run(Path.of(arguments[0]).toAbsolutePath(), Path.of(arguments[1]));
      System.exit(0);
    } catch (Exception e) {
      LoggerFactory.getLogger(Rehearsal.class).error("the rehearsal failed", e);
      System.exit(1); // a node that did start must not keep the launcher waiting
    }
  }

  private static void endAfter(long millis) {
    Thread watch =
        new Thread(
            () -> {
              try {
                Thread.sleep(millis);
                Runtime.getRuntime().halt(1);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            "rehearsal-end");
    watch.setDaemon(true);
    watch.start();
  }

  private static void run(Path data, Path libraries) throws Exception {
    NativeLibrary.unpack(libraries);
    Rehearsal rehearsal = new Rehearsal();
    int[] ports = freePorts(3 * NODES);
    rehearsal.start(data, ports);
    for (int i = 0; i < NODES; i++) {
      rehearsal.askRedis(ports[3 * i], i);
      rehearsal.askRedis(ports[3 * i + 2], i);
      rehearsal.askHttp(ports[3 * i]);
    }
    rehearsal.stop();
  }

  private static int[] freePorts(int count) throws IOException {
    List<ServerSocket> held = new ArrayList<>();
    try {
      for (int i = 0; i < count; i++) {
        held.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
      }
      return held.stream().mapToInt(ServerSocket::getLocalPort).toArray();
    } finally {
      for (ServerSocket socket : held) {
        socket.close();
      }
    }
  }

  /** All at once, since each waits for the others. */
  private void start(Path folder, int[] ports) throws Exception {
    List<String> members = new ArrayList<>();
    for (int i = 0; i < NODES; i++) {
      members.add("127.0.0.1:" + ports[3 * i] + "/" + ports[3 * i + 1]);
    }
    String cluster = String.join(",", members);
    List<Thread> starting = new ArrayList<>();
    for (int i = 0; i < NODES; i++) {
      ParseResult parsed =
          NodeMain.commandLine()
              .parseArgs(
                  NodeCommand.NAME,
                  String.valueOf(ports[3 * i]),
                  "--peer-port",
                  String.valueOf(ports[3 * i + 1]),
                  "--cluster-port",
                  String.valueOf(ports[3 * i + 2]),
                  "--cluster",
                  cluster,
                  "--data",
                  folder.resolve("node-" + i).toString())
              .subcommand();
      NodeConfig config = NodeCommand.config(parsed, Map.of(), folder);
      starting.add(new Thread(() -> start(config), "rehearsal-" + i));
    }
    starting.forEach(Thread::start);
    for (Thread thread : starting) {
      thread.join();
    }
  }

  private void start(NodeConfig config) {
    try {
      Node node = Node.start(config, Runtime.getRuntime()::halt);
      synchronized (this) {
        nodes.add(node);
      }
    } catch (StartException | IOException e) {
      throw new IllegalStateException("a node does not start", e);
    }
  }

  private void askRedis(int port, int node) throws IOException, InterruptedException {
    try (Socket socket = connect(port)) {
      long until = System.nanoTime() + READY_WITHIN_NANOS;
      while (!ask(socket, "*1\r\n$9\r\nRANDOMKEY\r\n").startsWith("$")) {
        if (System.nanoTime() - until > 0) {
          throw new IOException("the cluster does not become ready");
        }
        Thread.sleep(100);
      }
      for (int i = 0; i < KEYS; i++) {
        String key = "node" + node + "key" + i;
        ask(socket, "SET " + key + " value\r\n");
        ask(socket, "GET " + key + "\r\n");
      }
      ask(socket, "INCR number\r\n");
      ask(socket, "DEL number\r\n");
      ask(socket, "INFO\r\n");
    }
  }

  private void askHttp(int port) throws IOException {
    for (String path : List.of("/healthz", "/metrics", "/v1/cluster", "/")) {
      try (Socket socket = connect(port)) {
        ask(socket, "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
      }
    }
  }

  private static Socket connect(int port) throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setSoTimeout(SOCKET_TIMEOUT_MILLIS);
    return socket;
  }

  /** Sends a request; the beginning of what comes back, which is all that is asked here. */
  private static String ask(Socket socket, String request) throws IOException {
    socket.getOutputStream().write(request.getBytes(UTF_8));
    byte[] answer = new byte[8 << 10];
    InputStream in = socket.getInputStream();
    int length = in.read(answer);
    return length < 0 ? "" : new String(answer, 0, length, UTF_8);
  }

  private synchronized void stop() {
    for (Node node : nodes) {
      node.stop();
    }
  }
}
