// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.rpc.RaftServerService;
import com.alipay.sofa.jraft.rpc.RpcRequestClosure;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesResponse;
import com.alipay.sofa.jraft.rpc.impl.core.NodeRequestProcessor;
import com.google.protobuf.Message;

/**
 * Takes entries and heartbeats from leaders, those of a group one after the other: the transport's
 * streams see to that.
 *
 * <p>JRaft 1.4.1 has a thread for each pair of peers do this, and when a connection ends it waits
 * for that thread under a lock that the thread may need: 15 seconds in which nothing that any
 * leader sends on the same event loop is read. So a partition could stay without a leader for as
 * long, whenever its leader died with entries on their way. Nothing waits for anything here. The
 * engine's own processor also keeps the answers in order; leaders put them in order themselves.
 */
final class AppendRequests extends NodeRequestProcessor<AppendEntriesRequest> {
  AppendRequests() {
    super(null, AppendEntriesResponse.getDefaultInstance());
  }

  @Override
  protected String getPeerId(AppendEntriesRequest request) {
    return request.getPeerId();
  }

  @Override
  protected String getGroupId(AppendEntriesRequest request) {
    return request.getGroupId();
  }

  @Override
  protected Message processRequest0(
      RaftServerService service, AppendEntriesRequest request, RpcRequestClosure done) {
    return service.handleAppendEntriesRequest(request, done);
  }

  @Override
  public String interest() {
    return AppendEntriesRequest.class.getName();
  }
}
