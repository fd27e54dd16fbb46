// SPDX-License-Identifier: Apache-2.0
/**
 * One Cairn process: its command line, configuration, identity on disk, start and stop. Builds
 * every other part by constructor, in one place. May touch all packages; nothing may touch it.
 */
package dev.cairn.server.node;
