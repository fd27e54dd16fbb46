// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.remoting.CustomSerializer;
import com.alipay.remoting.CustomSerializerManager;
import com.alipay.remoting.DefaultCustomSerializer;
import com.alipay.remoting.InvokeContext;
import com.alipay.remoting.exception.DeserializationException;
import com.alipay.remoting.rpc.RequestCommand;
import com.alipay.remoting.rpc.ResponseCommand;
import com.alipay.remoting.rpc.protocol.RpcRequestCommand;
import com.alipay.remoting.rpc.protocol.RpcResponseCommand;
import com.alipay.sofa.jraft.error.ConnectionFailureException;
import com.alipay.sofa.jraft.option.RpcOptions;
import com.alipay.sofa.jraft.rpc.InvokeCallback;
import com.alipay.sofa.jraft.rpc.RpcClient;
import com.alipay.sofa.jraft.rpc.RpcContext;
import com.alipay.sofa.jraft.rpc.RpcProcessor;
import com.alipay.sofa.jraft.rpc.RpcServer;
import com.alipay.sofa.jraft.rpc.impl.BoltRpcClient;
import com.alipay.sofa.jraft.util.Endpoint;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Messages of our own between nodes, on the same port and connections' engine as Raft's.
 *
 * <p>A message is a kind (one byte) and bytes whose grammar belongs to whoever registered the kind.
 * The bytes travel through a serializer that copies them and nothing else: no class is ever built
 * from what a peer sent.
 *
 * <p>Threads: {@link #send} never blocks. An open connection is written to by the calling thread;
 * opening one is left to a small pool, and an address that could not be reached is not tried again
 * for a moment. Handlers run on the server's pool and must not block. Invariant: {@link
 * Answer.NotSent} is given only when no byte of the message can have left.
 *
 * <pre>
 *   message ::= kind:1 body:rest
 * </pre>
 */
public final class PeerTransport implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(PeerTransport.class);
  private static final int CONNECTS_WAITING_MAX = 4096;
  private static final int UNSENT_BYTES_LOW = 32 << 20;
  private static final int UNSENT_BYTES_HIGH = 128 << 20;
  private static final long RETRY_AFTER_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  static {
    CustomSerializer raw = new RawSerializer();
    CustomSerializerManager.registerCustomSerializer(Request.class.getName(), raw);
    CustomSerializerManager.registerCustomSerializer(Response.class.getName(), raw);
  }

  private final Map<Byte, Handler> handlers = new ConcurrentHashMap<>();
  private final Map<Endpoint, Long> unreachableSince = new ConcurrentHashMap<>();
  private final RpcClient client;
  private final ExecutorService connecting;

  PeerTransport(RpcServer server) {
    client = new BoltRpcClient(new RoomyClient());
    client.init(new RpcOptions());
    connecting =
        new ThreadPoolExecutor(
            2,
            2,
            10,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(CONNECTS_WAITING_MAX),
            task -> {
              Thread thread = new Thread(task, "peer-connect");
              thread.setDaemon(true);
              return thread;
            });
    ((ThreadPoolExecutor) connecting).allowCoreThreadTimeOut(true);
    server.registerProcessor(new Dispatcher());
  }

  /** Takes messages of a kind from now on. At most one handler a kind. */
  public void handle(byte kind, Handler handler) {
    if (handlers.putIfAbsent(kind, handler) != null) {
      throw new IllegalStateException("peer message kind " + kind + " is taken");
    }
  }

  /**
   * Sends a message and waits for its answer without blocking.
   *
   * @param timeoutMillis how long to wait for the answer
   * @param done called exactly once, by any thread
   */
  public void send(
      String host, int port, byte kind, byte[] body, long timeoutMillis, Consumer<Answer> done) {
    Endpoint endpoint = new Endpoint(host, port);
    byte[] message = new byte[body.length + 1];
    message[0] = kind;
    System.arraycopy(body, 0, message, 1, body.length);
    if (client.checkConnection(endpoint)) {
      invoke(endpoint, message, timeoutMillis, done);
      return;
    }
    Long since = unreachableSince.get(endpoint);
    if (since != null && System.nanoTime() - since < RETRY_AFTER_NANOS) {
      done.accept(new Answer.NotSent("no connection to " + endpoint));
      return;
    }
    try {
      connecting.execute(() -> connectAndInvoke(endpoint, message, timeoutMillis, done));
    } catch (RejectedExecutionException full) {
      done.accept(
          new Answer.NotSent("no connection to " + endpoint + ", and too many wait for one"));
    }
  }

  private void connectAndInvoke(
      Endpoint endpoint, byte[] message, long timeoutMillis, Consumer<Answer> done) {
    Long since = unreachableSince.get(endpoint);
    if (since != null && System.nanoTime() - since < RETRY_AFTER_NANOS) {
      done.accept(new Answer.NotSent("no connection to " + endpoint));
    } else if (connect(endpoint)) {
      unreachableSince.remove(endpoint);
      invoke(endpoint, message, timeoutMillis, done);
    } else {
      unreachableSince.put(endpoint, System.nanoTime());
      done.accept(new Answer.NotSent("cannot connect to " + endpoint));
    }
  }

  private boolean connect(Endpoint endpoint) {
    try {
      return client.checkConnection(endpoint, true);
    } catch (RuntimeException e) {
      log.debug("peer={} cannot connect", endpoint, e);
      return false;
    }
  }

  private void invoke(
      Endpoint endpoint, byte[] message, long timeoutMillis, Consumer<Answer> done) {
    try {
      client.invokeAsync(
          endpoint,
          new Request(message),
          new InvokeCallback() {
            @Override
            public void complete(Object result, Throwable error) {
              if (error == null && result instanceof Response response) {
                done.accept(new Answer.Received(response.bytes));
              } else {
                done.accept(new Answer.Lost(error == null ? "not an answer" : error.toString()));
              }
            }
          },
          timeoutMillis);
    } catch (ConnectionFailureException e) {
      done.accept(new Answer.NotSent(e.toString()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      done.accept(new Answer.Lost("interrupted"));
    } catch (com.alipay.sofa.jraft.error.RemotingException | RuntimeException e) {
      done.accept(new Answer.Lost(e.toString()));
    }
  }

  @Override
  public void close() {
    connecting.shutdownNow();
    client.shutdown();
  }

  /** What became of a message. */
  public sealed interface Answer {
    /** The peer's answer. */
    record Received(byte[] body) implements Answer {}

    /** It never left this process. */
    record NotSent(String reason) implements Answer {}

    /** It may have arrived and been acted on; no answer came. */
    record Lost(String reason) implements Answer {}
  }

  /** Acts on messages of one kind. */
  public interface Handler {
    /**
     * @param body the message
     * @param answer to be called at most once, by any thread
     */
    void handle(byte[] body, Consumer<byte[]> answer);
  }

  /**
   * Bolt refuses to send over a connection with more unsent bytes than the upper mark, as if there
   * were none. JRaft's half mebibyte is less than one batch of ours; what senders have under way
   * bounds it anyway.
   */
  private static final class RoomyClient extends com.alipay.remoting.rpc.RpcClient {
    @Override
    public void initWriteBufferWaterMark(int low, int high) {
      super.initWriteBufferWaterMark(UNSENT_BYTES_LOW, UNSENT_BYTES_HIGH);
    }
  }

  private final class Dispatcher implements RpcProcessor<Request> {
    @Override
    public void handleRequest(RpcContext context, Request request) {
      byte[] message = request.bytes;
      Handler handler = message.length == 0 ? null : handlers.get(message[0]);
      if (handler == null) {
        log.warn(
            "peer={} sent a message of a kind that this version does not know; upgrade this node",
            context.getRemoteAddress());
        return;
      }
      byte[] body = java.util.Arrays.copyOfRange(message, 1, message.length);
      try {
        handler.handle(body, bytes -> context.sendResponse(new Response(bytes)));
      } catch (RuntimeException e) {
        log.warn("peer={} sent a message that cannot be read", context.getRemoteAddress(), e);
      }
    }

    @Override
    public String interest() {
      return Request.class.getName();
    }
  }

  private static final class Request {
    private byte[] bytes;

    Request(byte[] bytes) {
      this.bytes = bytes;
    }
  }

  private static final class Response {
    private byte[] bytes;

    Response(byte[] bytes) {
      this.bytes = bytes;
    }
  }

  /** Bytes in, bytes out. */
  private static final class RawSerializer extends DefaultCustomSerializer {
    @Override
    public <T extends RequestCommand> boolean serializeContent(T request, InvokeContext context) {
      RpcRequestCommand command = (RpcRequestCommand) request;
      command.setContent(((Request) command.getRequestObject()).bytes);
      return true;
    }

    @Override
    public <T extends RequestCommand> boolean deserializeContent(T request)
        throws DeserializationException {
      RpcRequestCommand command = (RpcRequestCommand) request;
      byte[] content = command.getContent();
      command.setRequestObject(new Request(content == null ? new byte[0] : content));
      return true;
    }

    @Override
    public <T extends ResponseCommand> boolean serializeContent(T response) {
      RpcResponseCommand command = (RpcResponseCommand) response;
      command.setContent(((Response) command.getResponseObject()).bytes);
      return true;
    }

    @Override
    public <T extends ResponseCommand> boolean deserializeContent(T response, InvokeContext context)
        throws DeserializationException {
      RpcResponseCommand command = (RpcResponseCommand) response;
      byte[] content = command.getContent();
      command.setResponseObject(new Response(content == null ? new byte[0] : content));
      return true;
    }
  }
}
