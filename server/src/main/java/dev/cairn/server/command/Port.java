// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.server.access.AccessControl;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.routing.Router;
import dev.cairn.server.routing.ScanPosition;
import java.security.SecureRandom;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.LongSupplier;

/**
 * What all calls of one port share: the way to the partitions, what the node tells of itself, its
 * connections, what is counted. Handlers reach it through their {@link Call}. Any thread.
 */
final class Port {
  private final Router router;
  private final PortKind kind;
  private final NodeFacts facts;
  private final SlowLog slowLog;
  private final Metrics metrics;
  private final AccessControl access;
  private final KeyDirections keyDirections;
  private final Function<Command, Plan.Planner> planners;
  private final CommandCounts counts;
  private final Redirection redirection;
  private final Clients clients = new Clients();
  private final Searches searches = new Searches();
  private final LongSupplier random = new SecureRandom()::nextLong;
  private final AtomicReference<ScanPosition> randomPosition = new AtomicReference<>();

  /**
   * What the calls of a port without connections share.
   *
   * @param access who may do what
   * @param keyDirections what commands do to their keys
   * @param planners what makes the plans of any command, for what a transaction has queued
   */
  Port(
      Router router,
      PortKind kind,
      NodeFacts facts,
      SlowLog slowLog,
      Metrics metrics,
      AccessControl access,
      KeyDirections keyDirections,
      Function<Command, Plan.Planner> planners) {
    this.router = router;
    this.kind = kind;
    this.facts = facts;
    this.slowLog = slowLog;
    this.metrics = metrics;
    this.access = access;
    this.keyDirections = keyDirections;
    this.planners = planners;
    this.counts = new CommandCounts(metrics.commands());
    this.redirection = new Redirection(router, kind);
  }

  Router router() {
    return router;
  }

  PortKind kind() {
    return kind;
  }

  NodeFacts facts() {
    return facts;
  }

  SlowLog slowLog() {
    return slowLog;
  }

  /** What the node measures. */
  Metrics metrics() {
    return metrics;
  }

  /** Who may do what. */
  AccessControl access() {
    return access;
  }

  /** What commands do to their keys. */
  KeyDirections keyDirections() {
    return keyDirections;
  }

  /** What makes the plans of a command. */
  Plan.Planner planner(Command command) {
    return planners.apply(command);
  }

  CommandCounts counts() {
    return counts;
  }

  /** Which keys this port does not serve. */
  Redirection redirection() {
    return redirection;
  }

  /** The connections of this port. */
  Clients clients() {
    return clients;
  }

  /** Where keys are compared with patterns. */
  Searches searches() {
    return searches;
  }

  /** Random numbers of all 64 bits. */
  LongSupplier random() {
    return random;
  }

  /** Where RANDOMKEY goes on; null: at the start. */
  AtomicReference<ScanPosition> randomPosition() {
    return randomPosition;
  }
}
