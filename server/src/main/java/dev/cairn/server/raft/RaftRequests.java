// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.rpc.Connection;
import com.alipay.sofa.jraft.rpc.RpcContext;
import com.alipay.sofa.jraft.rpc.RpcProcessor;
import com.alipay.sofa.jraft.rpc.impl.core.GetFileRequestProcessor;
import com.alipay.sofa.jraft.rpc.impl.core.InstallSnapshotRequestProcessor;
import com.alipay.sofa.jraft.rpc.impl.core.RequestVoteRequestProcessor;
import com.alipay.sofa.jraft.rpc.impl.core.TimeoutNowRequestProcessor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import dev.cairn.server.peer.AcceptedConnection;
import dev.cairn.server.peer.PeerTransport;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hands the engine the messages that peers send to its groups.
 *
 * <p>Appended entries are dealt with by the transport's workers in a group's order. The others may
 * hold a group's lock while a vote is fsynced or a file is read, and get threads of their own. The
 * engine's administrative messages (change peers, reset peers) are not served: membership is
 * changed through the meta group only.
 */
final class RaftRequests {
  private static final Logger log = LoggerFactory.getLogger(RaftRequests.class);

  private RaftRequests() {}

  /** Serves the engine's messages from now on. */
  static void serve(PeerTransport transport) {
    transport.handle(
        RaftMessage.APPEND_ENTRIES.kind(),
        handler(RaftMessage.APPEND_ENTRIES, new AppendRequests()));
    serveApart(transport, RaftMessage.REQUEST_VOTE, new RequestVoteRequestProcessor(null));
    serveApart(transport, RaftMessage.TIMEOUT_NOW, new TimeoutNowRequestProcessor(null));
    serveApart(transport, RaftMessage.INSTALL_SNAPSHOT, new InstallSnapshotRequestProcessor(null));
    serveApart(transport, RaftMessage.GET_FILE, new GetFileRequestProcessor(null));
  }

  private static void serveApart(
      PeerTransport transport, RaftMessage message, RpcProcessor<?> processor) {
    transport.handleApart(message.kind(), handler(message, processor));
  }

  @SuppressWarnings("unchecked") // a processor names the class of its requests
  private static PeerTransport.ConnectionHandler handler(
      RaftMessage message, RpcProcessor<?> processor) {
    if (!processor.interest().equals(message.requestClassName())) {
      throw new IllegalStateException("the engine's processor takes " + processor.interest());
    }
    return (from, body, answer) -> {
      try {
        ((RpcProcessor<Object>) processor)
            .handleRequest(new Context(from, answer), message.parseRequest(body));
      } catch (InvalidProtocolBufferException e) {
        log.warn("peer={} sent a {} that cannot be read", from.remoteAddress(), message, e);
      }
    };
  }

  /** How the engine answers one request. */
  private record Context(AcceptedConnection from, Consumer<byte[]> answer) implements RpcContext {
    @Override
    public void sendResponse(Object response) {
      answer.accept(RaftMessage.encodeAnswer((Message) response));
    }

    @Override
    public Connection getConnection() {
      return null; // asked for by a processor of the engine's that is not used (AppendRequests)
    }

    @Override
    public String getRemoteAddress() {
      return from.remoteAddress();
    }
  }
}
