// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.rpc.Connection;
import com.alipay.sofa.jraft.rpc.RpcContext;
import com.alipay.sofa.jraft.rpc.RpcRequestClosure;
import com.alipay.sofa.jraft.rpc.RpcRequestProcessor;
import com.alipay.sofa.jraft.rpc.impl.core.GetFileRequestProcessor;
import com.alipay.sofa.jraft.rpc.impl.core.InstallSnapshotRequestProcessor;
import com.alipay.sofa.jraft.rpc.impl.core.RequestVoteRequestProcessor;
import com.alipay.sofa.jraft.rpc.impl.core.TimeoutNowRequestProcessor;
import com.alipay.sofa.jraft.util.RpcFactoryHelper;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
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
      PeerTransport transport, RaftMessage message, RpcRequestProcessor<?> processor) {
    transport.handleApart(message.kind(), handler(message, processor));
  }

  @SuppressWarnings("unchecked") // a processor names the class of its requests
  private static PeerTransport.ConnectionHandler handler(
      RaftMessage message, RpcRequestProcessor<?> processor) {
    if (!processor.interest().equals(message.requestClassName())) {
      throw new IllegalStateException("the engine's processor takes " + processor.interest());
    }
    return (from, body, answer) -> {
      try {
        process(
            (RpcRequestProcessor<Message>) processor,
            message,
            message.parseRequest(body),
            new Context(from.remoteAddress(), answer));
      } catch (InvalidProtocolBufferException e) {
        log.warn("peer={} sent a {} that cannot be read", from.remoteAddress(), message, e);
      }
    };
  }

  /**
   * Has the engine deal with a request. Its own way to do so logs a request that failed with all
   * that it holds, which are values, and calls an error what comes to a group that is being closed.
   */
  static void process(
      RpcRequestProcessor<Message> processor, RaftMessage name, Message request, Context context) {
    Message answer;
    try {
      answer =
          processor.processRequest(
              request, new RpcRequestClosure(context, processor.defaultResp()));
    } catch (GroupClosedException closed) {
      log.debug("peer={} a {} came too late", context.from(), name, closed);
      answer = failed(processor);
    } catch (RuntimeException bug) {
      log.error("peer={} a {} failed: report this as a bug", context.from(), name, bug);
      answer = failed(processor);
    }
    if (answer != null) {
      context.sendResponse(answer);
    }
  }

  private static Message failed(RpcRequestProcessor<Message> processor) {
    return RpcFactoryHelper.responseFactory()
        .newResponse(
            processor.defaultResp(), -1, "the request failed, see the log of its receiver");
  }

  /** How the engine answers one request. */
  record Context(String from, Consumer<byte[]> answer) implements RpcContext {
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
      return from;
    }
  }
}
