// SPDX-License-Identifier: Apache-2.0

/**
 * A cluster of one group in simulated time, from a seed: network, disks, processes, clients, faults
 * and an oracle that sees everything. It runs the classes that ship.
 */
package dev.cairn.consensus.simulation;
