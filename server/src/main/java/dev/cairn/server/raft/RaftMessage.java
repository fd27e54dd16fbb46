// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.ErrorResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.GetFileRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.GetFileResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.InstallSnapshotRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.InstallSnapshotResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.RequestVoteRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.RequestVoteResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.TimeoutNowRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.TimeoutNowResponse;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import dev.cairn.server.peer.Traffic;
import java.util.Arrays;

/**
 * The engine's messages as peers send them to each other.
 *
 * <pre>
 *   request ::= protobuf of the request's class
 *   answer  ::= 0 protobuf of the answer's class | 1 protobuf of ErrorResponse
 * </pre>
 */
enum RaftMessage {
  APPEND_ENTRIES(
      64,
      AppendEntriesRequest.class,
      AppendEntriesRequest.parser(),
      AppendEntriesResponse.parser(),
      Traffic.DATA),
  REQUEST_VOTE(
      65,
      RequestVoteRequest.class,
      RequestVoteRequest.parser(),
      RequestVoteResponse.parser(),
      Traffic.CONTROL),
  TIMEOUT_NOW(
      66,
      TimeoutNowRequest.class,
      TimeoutNowRequest.parser(),
      TimeoutNowResponse.parser(),
      Traffic.CONTROL),
  INSTALL_SNAPSHOT(
      68,
      InstallSnapshotRequest.class,
      InstallSnapshotRequest.parser(),
      InstallSnapshotResponse.parser(),
      Traffic.BULK),
  GET_FILE(
      69, GetFileRequest.class, GetFileRequest.parser(), GetFileResponse.parser(), Traffic.BULK);

  private static final RaftMessage[] ALL = values();
  private static final byte EXPECTED = 0;
  private static final byte ERROR = 1;

  private final byte kind;
  private final Class<? extends Message> requestClass;
  private final Parser<? extends Message> requests;
  private final Parser<? extends Message> answers;
  private final Traffic traffic;

  RaftMessage(
      int kind,
      Class<? extends Message> requestClass,
      Parser<? extends Message> requests,
      Parser<? extends Message> answers,
      Traffic traffic) {
    this.kind = (byte) kind;
    this.requestClass = requestClass;
    this.requests = requests;
    this.answers = answers;
    this.traffic = traffic;
  }

  /** Which message an object of the engine's is. */
  static RaftMessage of(Object request) {
    for (RaftMessage message : ALL) {
      if (message.requestClass == request.getClass()) {
        return message;
      }
    }
    throw new IllegalArgumentException("not a message between nodes: " + request.getClass());
  }

  /** The byte that names it between nodes. */
  byte kind() {
    return kind;
  }

  String requestClassName() {
    return requestClass.getName();
  }

  /** Heartbeats carry nothing, and do not stand behind what does. */
  Traffic traffic(Object request) {
    return request instanceof AppendEntriesRequest append && isHeartbeat(append)
        ? Traffic.CONTROL
        : traffic;
  }

  /** A probe has no entries either, but data, of no bytes. */
  static boolean isHeartbeat(AppendEntriesRequest append) {
    return append.getEntriesCount() == 0 && !append.hasData();
  }

  Message parseRequest(byte[] body) throws InvalidProtocolBufferException {
    return requests.parseFrom(body);
  }

  static byte[] encodeAnswer(Message answer) {
    byte[] body = new byte[1 + answer.getSerializedSize()];
    body[0] = answer instanceof ErrorResponse ? ERROR : EXPECTED;
    com.google.protobuf.CodedOutputStream out =
        com.google.protobuf.CodedOutputStream.newInstance(body, 1, body.length - 1);
    try {
      answer.writeTo(out);
      out.checkNoSpaceLeft();
    } catch (java.io.IOException e) {
      throw new IllegalStateException("an array cannot fail", e);
    }
    return body;
  }

  Message parseAnswer(byte[] body) throws InvalidProtocolBufferException {
    if (body.length == 0 || body[0] > ERROR || body[0] < EXPECTED) {
      throw new InvalidProtocolBufferException("neither an answer nor an error");
    }
    Parser<? extends Message> parser = body[0] == ERROR ? ErrorResponse.parser() : answers;
    return parser.parseFrom(Arrays.copyOfRange(body, 1, body.length));
  }
}
