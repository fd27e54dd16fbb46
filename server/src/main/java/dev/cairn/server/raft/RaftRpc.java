// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.ReplicatorGroup;
import com.alipay.sofa.jraft.error.InvokeTimeoutException;
import com.alipay.sofa.jraft.error.RemotingException;
import com.alipay.sofa.jraft.option.RpcOptions;
import com.alipay.sofa.jraft.rpc.InvokeCallback;
import com.alipay.sofa.jraft.rpc.InvokeContext;
import com.alipay.sofa.jraft.rpc.RaftRpcFactory;
import com.alipay.sofa.jraft.rpc.RpcClient;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.ErrorResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.PingRequest;
import com.alipay.sofa.jraft.rpc.RpcServer;
import com.alipay.sofa.jraft.util.Endpoint;
import com.alipay.sofa.jraft.util.SPI;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import dev.cairn.server.peer.Answer;
import dev.cairn.server.peer.PeerTransport;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/**
 * The engine's messages on the node's own connections ({@link PeerTransport}), instead of Bolt's.
 * The engine finds this class through {@code META-INF/services}.
 *
 * <p>Answers to appended entries come on the transport's workers, in a group's order; all others on
 * the executor that the engine names, since they may take a group's lock for as long as a disk
 * takes.
 */
@SPI(name = "cairn", priority = 100)
public final class RaftRpc implements RaftRpcFactory {
  /** Options of a group that say over which transport it speaks, and at what pace. */
  interface Connected {
    PeerTransport transport();

    WitnessPace pace();
  }

  /** What became of a request: the peer's message, or why there is none. */
  record Outcome(Object message, Throwable failure) {}

  /** For the engine only. */
  public RaftRpc() {}

  @Override
  public void registerProtobufSerializer(String className, Object... args) {
    // RaftMessage names what may arrive.
  }

  @Override
  public RpcClient createRpcClient(ConfigHelper<RpcClient> helper) {
    Client client = new Client();
    if (helper != null) {
      helper.config(client);
    }
    return client;
  }

  @Override
  public RpcServer createRpcServer(Endpoint endpoint, ConfigHelper<RpcServer> helper) {
    throw new UnsupportedOperationException("JRaftEngine serves the peer port");
  }

  @Override
  public ConfigHelper<RpcClient> defaultJRaftClientConfigHelper(RpcOptions options) {
    if (options instanceof Connected connected) {
      return client -> ((Client) client).use(connected);
    }
    throw new IllegalArgumentException("a group that was not opened by JRaftEngine");
  }

  private static final class Client implements RpcClient {
    private PeerTransport transport;
    private WitnessPace pace;

    void use(Connected connected) {
      transport = connected.transport();
      pace = connected.pace();
    }

    @Override
    public boolean init(RpcOptions options) {
      return true;
    }

    @Override
    public void shutdown() {
      // the transport is the engine's
    }

    @Override
    public boolean checkConnection(Endpoint endpoint) {
      return transport.isConnected(endpoint.getIp());
    }

    @Override
    public boolean checkConnection(Endpoint endpoint, boolean createIfAbsent) {
      return checkConnection(endpoint);
    }

    @Override
    public void closeConnection(Endpoint endpoint) {
      // other groups use it
    }

    @Override
    public void registerConnectEventListener(ReplicatorGroup replicators) {
      // A leader looks for peers that it could not reach twice in an election timeout.
    }

    /** The engine asks nothing this way but whether a peer is there. */
    @Override
    public Object invokeSync(
        Endpoint endpoint, Object request, InvokeContext context, long timeoutMillis)
        throws InterruptedException, RemotingException {
      if (request instanceof PingRequest) {
        awaitConnection(endpoint, timeoutMillis);
        return ErrorResponse.newBuilder().setErrorCode(0).build();
      }
      CompletableFuture<Object> answer = new CompletableFuture<>();
      send(endpoint, request, Runnable::run, timeoutMillis, received -> complete(answer, received));
      try {
        return answer.get(timeoutMillis, TimeUnit.MILLISECONDS);
      } catch (TimeoutException e) {
        throw new InvokeTimeoutException(e);
      } catch (ExecutionException e) {
        throw new RemotingException(e.getCause());
      }
    }

    /**
     * The engine asks under its group's lock, which the group's messages and its log may wait for,
     * and all that waits behind them. So a peer that has failed is not waited for here: who stands
     * since a leader is silent or gone has done that before ({@link FollowerState}).
     */
    private void awaitConnection(Endpoint endpoint, long timeoutMillis)
        throws InterruptedException, RemotingException {
      String nodeId = endpoint.getIp();
      boolean connected =
          transport.isFailing(nodeId)
              ? transport.isConnected(nodeId)
              : transport.awaitConnected(nodeId, timeoutMillis);
      if (!connected) {
        throw new RemotingException("no connection to " + endpoint + " in time");
      }
    }

    private static void complete(CompletableFuture<Object> answer, Outcome outcome) {
      if (outcome.failure() == null) {
        answer.complete(outcome.message());
      } else {
        answer.completeExceptionally(outcome.failure());
      }
    }

    @Override
    public void invokeAsync(
        Endpoint endpoint,
        Object request,
        InvokeContext context,
        InvokeCallback callback,
        long timeoutMillis) {
      send(
          endpoint,
          request,
          callback.executor(),
          timeoutMillis,
          outcome -> callback.complete(outcome.message(), outcome.failure()));
    }

    private void send(
        Endpoint endpoint,
        Object request,
        java.util.concurrent.Executor where,
        long timeoutMillis,
        Consumer<Outcome> done) {
      RaftMessage message = RaftMessage.of(request);
      if (request instanceof AppendEntriesRequest append) {
        pace.send(
            append,
            (sent, answered) ->
                transport.send(
                    message.traffic(sent),
                    endpoint.getIp(),
                    message.kind(),
                    sent.getGroupId().hashCode(),
                    sent.toByteArray(),
                    timeoutMillis,
                    answer -> answered.accept(outcome(message, answer))),
            done);
      } else {
        transport.sendApart(
            message.traffic(request),
            endpoint.getIp(),
            message.kind(),
            ((Message) request).toByteArray(),
            timeoutMillis,
            where,
            answer -> done.accept(outcome(message, answer)));
      }
    }

    private static Outcome outcome(RaftMessage message, Answer answer) {
      if (answer instanceof Answer.Received received) {
        try {
          return new Outcome(message.parseAnswer(received.body()), null);
        } catch (InvalidProtocolBufferException e) {
          return new Outcome(null, e);
        }
      }
      if (answer instanceof Answer.Lost lost) {
        return new Outcome(
            null,
            lost.timedOut()
                ? new InvokeTimeoutException(lost.reason())
                : new RemotingException(lost.reason()));
      }
      return new Outcome(null, new RemotingException(((Answer.NotSent) answer).reason()));
    }
  }
}
