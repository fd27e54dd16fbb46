// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

/** What one connection has said about itself. Owned by the connection's event loop. */
public final class ClientState {
  private final long id;
  private final String address;
  private final String localAddress;
  private final long connectedMillis;

  String name = "";
  String libraryName = "";
  String libraryVersion = "";
  String lastCommand = "NULL";

  private int version = 2;
  private boolean closing;
  private boolean replicas;

  /**
   * A connection that has said nothing yet.
   *
   * @param id unique on this node since it started
   * @param address {@code host:port} of the client
   * @param localAddress {@code host:port} it connected to
   * @param connectedMillis when, milliseconds since 1970
   */
  public ClientState(long id, String address, String localAddress, long connectedMillis) {
    this.id = id;
    this.address = address;
    this.localAddress = localAddress;
    this.connectedMillis = connectedMillis;
  }

  /** The protocol in which the next reply goes out: 2 or 3. */
  public int version() {
    return version;
  }

  /** Whether the connection closes once what was asked so far is answered. */
  public boolean closing() {
    return closing;
  }

  long id() {
    return id;
  }

  /** Whether replies carry who served them. RESP3 only. */
  boolean replicas() {
    return replicas;
  }

  void replicas(boolean on) {
    replicas = on;
  }

  void version(int version) {
    this.version = version;
    if (version < 3) {
      replicas = false;
    }
  }

  void close() {
    closing = true;
  }

  /** As it was when it connected. */
  void reset() {
    name = "";
    version(2);
  }

  /** The line of CLIENT INFO and CLIENT LIST, without its end. */
  String line(long nowMillis) {
    return "id="
        + id
        + " addr="
        + address
        + " laddr="
        + localAddress
        + " fd=0 name="
        + name
        + " age="
        + (nowMillis - connectedMillis) / 1000
        + " idle=0 flags=N db=0 sub=0 psub=0 ssub=0 multi=-1 cmd="
        + lastCommand
        + " user=default redir=-1 resp="
        + version
        + " lib-name="
        + libraryName
        + " lib-ver="
        + libraryVersion;
  }
}
