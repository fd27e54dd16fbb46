// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import io.netty.channel.Channel;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;

/**
 * Netty's epoll where there is one, since a loop that is woken for nearly every message should be
 * woken cheaply; NIO elsewhere.
 */
record Sockets(
    IoHandlerFactory handlers,
    Class<? extends Channel> connecting,
    Class<? extends ServerChannel> listening) {
  static Sockets best() {
    return Epoll.isAvailable()
        ? new Sockets(
            EpollIoHandler.newFactory(), EpollSocketChannel.class, EpollServerSocketChannel.class)
        : new Sockets(
            NioIoHandler.newFactory(), NioSocketChannel.class, NioServerSocketChannel.class);
  }
}
