// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.alipay.sofa.jraft.rpc.RpcRequestClosure;
import com.alipay.sofa.jraft.rpc.RpcRequestProcessor;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesResponse;
import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** A request that fails is answered, and the log shows nothing of what it holds. */
class RaftRequestsTest {
  private static final AppendEntriesRequest REQUEST =
      AppendEntriesRequest.newBuilder()
          .setGroupId("group")
          .setServerId("127.0.0.1:1")
          .setPeerId("127.0.0.1:2")
          .setTerm(1)
          .setPrevLogTerm(1)
          .setPrevLogIndex(1)
          .setCommittedIndex(1)
          .setData(ByteString.copyFromUtf8("a value"))
          .build();

  private final ListAppender<ILoggingEvent> said = new ListAppender<>();
  private final Logger root = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
  private final List<byte[]> answers = new ArrayList<>();

  @BeforeEach
  void listen() {
    said.start();
    root.addAppender(said);
  }

  @AfterEach
  void end() {
    root.detachAppender(said);
  }

  @Test
  void aBugIsSaidWithoutTheValuesOfTheRequest() {
    process(new IllegalArgumentException("no such thing"));
    assertThat(answers).hasSize(1);
    assertThat(said.list)
        .singleElement()
        .satisfies(
            event -> {
              assertThat(event.getFormattedMessage())
                  .contains("peer=127.0.0.1:7", "report this as a bug")
                  .doesNotContain("value");
              assertThat(event.getThrowableProxy().getMessage()).isEqualTo("no such thing");
            });
  }

  @Test
  void whatComesToAGroupThatIsBeingClosedIsNoError() {
    process(new GroupClosedException("not open"));
    assertThat(answers).hasSize(1);
    assertThat(said.list).isEmpty();
  }

  private void process(RuntimeException failure) {
    RpcRequestProcessor<Message> failing =
        new RpcRequestProcessor<>(null, AppendEntriesResponse.getDefaultInstance()) {
          @Override
          public Message processRequest(Message request, RpcRequestClosure done) {
            throw failure;
          }

          @Override
          public String interest() {
            return AppendEntriesRequest.class.getName();
          }
        };
    RaftRequests.process(
        failing,
        RaftMessage.APPEND_ENTRIES,
        REQUEST,
        new RaftRequests.Context("127.0.0.1:7", answers::add));
  }
}
