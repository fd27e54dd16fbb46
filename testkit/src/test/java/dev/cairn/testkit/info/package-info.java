// SPDX-License-Identifier: Apache-2.0
/** What INFO tells, held against what redis-server tells and what Prometheus' exporter reads. */
package dev.cairn.testkit.info;
