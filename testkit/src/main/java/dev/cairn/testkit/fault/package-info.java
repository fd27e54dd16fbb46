// SPDX-License-Identifier: Apache-2.0
/**
 * What machines and networks do to a cluster, each as a {@link dev.cairn.testkit.fault.Fault}:
 * something that begins and is healed. The long run and the tests inject them.
 *
 * <p>Surroundings that can fail: {@link dev.cairn.testkit.fault.ShimmedDisk} (power loss, slow and
 * failing fsync), {@link dev.cairn.testkit.fault.SmallDisks} (full), {@link
 * dev.cairn.testkit.fault.Namespaces} (partitions, lost packets), {@link
 * dev.cairn.testkit.fault.WallClocks}. What they need of the machine each says; a tool that is
 * missing is an error.
 *
 * <p>Knows a cluster by what {@link dev.cairn.testkit.ProcessCluster} offers to anybody.
 */
package dev.cairn.testkit.fault;
