// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import dev.cairn.server.command.ClientState;
import dev.cairn.server.command.Commands;
import dev.cairn.server.command.NodeFacts;
import dev.cairn.server.command.PortKind;
import dev.cairn.server.command.RequestMemory;
import dev.cairn.server.metrics.Metric;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.metrics.ProcessFigures;
import dev.cairn.server.peer.CurrentLoop;
import dev.cairn.server.peer.EventLoops;
import dev.cairn.server.routing.Router;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * One client port of the node: listens on a port and gives each connection a {@link RespSession}.
 *
 * <p>A connection belongs to one event loop for its life.
 */
public final class RespServer implements AutoCloseable {
  private static final long STOP_MILLIS = 2000;

  private static final String FULL = "-ERR max number of clients reached\r\n";

  private final FrontConfig config;
  private final Router router;
  private final PortKind kind;
  private final Clock clock;
  private final Runnable shutdown;
  private final Optional<? extends Consumer<ChannelPipeline>> http;
  private final Metrics metrics;
  private final Metrics.Count opened;
  private final Metrics.Count refused;
  private final Traffic traffic;
  private final EventLoops loops;
  private final ChannelGroup open = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
  private final AtomicInteger connections = new AtomicInteger();
  private final AtomicLong lastClientId = new AtomicLong();
  private final RequestMemory memory;

  private Channel listener;
  private Commands commands;

  private RespServer(
      FrontConfig config,
      Router router,
      PortKind kind,
      Metrics metrics,
      Clock clock,
      Optional<? extends Consumer<ChannelPipeline>> http,
      Runnable shutdown) {
    this.config = config;
    this.router = router;
    this.kind = kind;
    this.clock = clock;
    this.shutdown = shutdown;
    this.http = http;
    this.metrics = metrics;
    this.memory = new RequestMemory(config.bounds().nodeRequestBytesMax());
    String port = kind.port();
    this.opened = metrics.counter(Metric.CONNECTIONS_OPENED, port);
    this.refused = metrics.counter(Metric.CONNECTIONS_REFUSED, port);
    this.traffic = new Traffic(metrics, port);
    metrics.gauge(Metric.CONNECTIONS, connections::get, port);
    metrics.gauge(Metric.REQUEST_BYTES, memory::bytes, port);
    this.loops = config.loops();
  }

  /**
   * Listens, and speaks no HTTP. As {@link #start(FrontConfig, Router, PortKind, Metrics, Optional,
   * Runnable)}.
   */
  public static RespServer start(
      FrontConfig config, Router router, PortKind kind, Metrics metrics, Runnable shutdown)
      throws IOException {
    return start(config, router, kind, metrics, Optional.empty(), shutdown);
  }

  /**
   * Listens.
   *
   * @param http what takes over connections that speak HTTP
   * @param shutdown begins to stop the node, when a client asks for it, and returns
   * @throws IOException if it cannot; the message says what to do. {@link BindException} if the
   *     port is in use
   */
  public static RespServer start(
      FrontConfig config,
      Router router,
      PortKind kind,
      Metrics metrics,
      Optional<? extends Consumer<ChannelPipeline>> http,
      Runnable shutdown)
      throws IOException {
    return start(config, router, kind, metrics, Clock.systemUTC(), http, shutdown);
  }

  static RespServer start(
      FrontConfig config,
      Router router,
      PortKind kind,
      Metrics metrics,
      Clock clock,
      Runnable shutdown)
      throws IOException {
    return start(config, router, kind, metrics, clock, Optional.empty(), shutdown);
  }

  private static RespServer start(
      FrontConfig config,
      Router router,
      PortKind kind,
      Metrics metrics,
      Clock clock,
      Optional<? extends Consumer<ChannelPipeline>> http,
      Runnable shutdown)
      throws IOException {
    RespServer server = new RespServer(config, router, kind, metrics, clock, http, shutdown);
    try {
      server.listen();
    } catch (IOException | RuntimeException failure) {
      server.stop();
      throw failure;
    }
    return server;
  }

  /** The port that is listened on, also when the configuration left it open. */
  public int port() {
    return ((InetSocketAddress) listener.localAddress()).getPort();
  }

  /** How many connections there are. */
  public int connections() {
    return connections.get();
  }

  /** Bytes that requests hold which are not answered yet. */
  long requestBytes() {
    return memory.bytes();
  }

  /**
   * Takes no more connections, and has each one end at the first pause after a reply: a client that
   * works loses nothing, one that idles is left alone until {@link #stop}.
   *
   * @return done when no connection is left
   */
  public Future<?> drain() {
    if (listener != null) {
      listener.close().awaitUninterruptibly();
    }
    for (Channel channel : open) {
      channel
          .pipeline()
          .fireUserEventTriggered(
              isResp(channel) ? RespSession.DRAIN : ChannelInputShutdownEvent.INSTANCE);
    }
    return open.newCloseFuture();
  }

  /**
   * Takes no more connections, answers what was started within 2 seconds, refuses for certain what
   * was only asked, and closes. Waits for it. Can be repeated.
   */
  public void stop() {
    CurrentLoop.willWait();
    if (listener != null) {
      listener.close().awaitUninterruptibly();
    }
    for (Channel channel : open) {
      channel
          .pipeline()
          .fireUserEventTriggered(
              isResp(channel) ? RespSession.STOP : ChannelInputShutdownEvent.INSTANCE);
    }
    open.newCloseFuture().awaitUninterruptibly(STOP_MILLIS, TimeUnit.MILLISECONDS);
    open.close().awaitUninterruptibly(STOP_MILLIS, TimeUnit.MILLISECONDS);
    if (commands != null) {
      commands.close();
    }
  }

  @Override
  public void close() {
    stop();
  }

  private void listen() throws IOException {
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(loops.group())
            .channel(NioServerSocketChannel.class)
            .option(ChannelOption.SO_BACKLOG, 1024)
            .option(ChannelOption.SO_REUSEADDR, true)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childOption(ChannelOption.SO_KEEPALIVE, true)
            .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
            .childOption(
                ChannelOption.WRITE_BUFFER_WATER_MARK,
                new WriteBufferWaterMark(
                    config.bounds().replyBytesHigh() / 2, config.bounds().replyBytesHigh()))
            .childHandler(
                new ChannelInitializer<SocketChannel>() {
                  @Override
                  protected void initChannel(SocketChannel channel) {
                    accept(channel);
                  }
                });
    // Accepting waits for the commands, which need to know the port that was taken.
    bootstrap.option(ChannelOption.AUTO_READ, false);
    ChannelFuture bound = bootstrap.bind(config.host(), config.port()).awaitUninterruptibly();
    if (!bound.isSuccess()) {
      throw cannotListen(bound.cause());
    }
    listener = bound.channel();
    commands =
        new Commands(
            router,
            kind,
            new NodeFacts(
                config.cairnVersion(),
                clock.millis(),
                new NodeFacts.Listening(
                    port(),
                    config.bounds().valueBytesMax(),
                    config.bounds().connectionsMax(),
                    connections::get),
                clock,
                System::nanoTime,
                new NodeFacts.Shutdown(config.rules().shutdownBy(), shutdown),
                new NodeFacts.Loops(
                    loops.count(), () -> ProcessFigures.processorSeconds(loops.threads()))),
            config.rules().slowLog(),
            metrics,
            config.rules().access());
    listener.config().setAutoRead(true);
  }

  private void accept(SocketChannel channel) {
    if (connections.incrementAndGet() > config.bounds().connectionsMax()) {
      connections.decrementAndGet();
      refused.increment();
      ByteBuf full = Unpooled.copiedBuffer(FULL, StandardCharsets.US_ASCII);
      channel.writeAndFlush(full).addListener(ChannelFutureListener.CLOSE);
      return;
    }
    channel.closeFuture().addListener(closed -> connections.decrementAndGet());
    opened.increment();
    open.add(channel);
    ClientState client =
        new ClientState(
            lastClientId.incrementAndGet(),
            text(channel.remoteAddress()),
            text(channel.localAddress()),
            clock.millis(),
            System.nanoTime(),
            config.rules().levels(),
            wire(channel));
    commands.opened(client);
    channel.closeFuture().addListener(closed -> commands.closed(client));
    channel.pipeline().addLast(traffic);
    config
        .rules()
        .tls()
        .guard(channel.pipeline(), OtherProtocols::tlsOnly, name -> commands.showed(client, name));
    channel
        .pipeline()
        .addLast(new RespSession(config, commands, client, memory, metrics.samples(), http));
  }

  private static ClientState.Wire wire(SocketChannel channel) {
    return new ClientState.Wire() {
      @Override
      public void disconnect() {
        channel.close();
      }

      @Override
      public long unsentBytes() {
        return SlowReader.unsentBytes(channel);
      }
    };
  }

  /** One that was handed over ends as if its client had said all: after what is under way. */
  private static boolean isResp(Channel channel) {
    return channel.pipeline().get(RespSession.class) != null;
  }

  private IOException cannotListen(Throwable cause) {
    String address = config.host() + ":" + config.port();
    boolean inUse =
        cause instanceof BindException
            || String.valueOf(cause.getMessage()).contains("Address already in use");
    if (inUse && String.valueOf(cause.getMessage()).contains("in use")) {
      BindException failure =
          new BindException(
              "port %d on %s is in use: stop what listens there, or choose another port"
                  .formatted(config.port(), config.host()));
      failure.initCause(cause);
      return failure;
    }
    return new IOException("cannot listen on " + address + ": " + cause.getMessage(), cause);
  }

  private static String text(SocketAddress address) {
    return address instanceof InetSocketAddress internet
        ? internet.getAddress().getHostAddress() + ":" + internet.getPort()
        : "";
  }
}
