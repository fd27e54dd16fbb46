# SPDX-License-Identifier: Apache-2.0

# redis-rb against Cairn: ruby redis_rb.rb HOST PORT CA USER PASSWORD, as docs/guide/clients.md has it.
#
# What testkit's SecuredOtherLibrariesTest asks is a word a line on standard input; the answers are JSON, a line each.

require "json"
require "redis"

KEYS = 24 # enough for keys of every partition
HOST, PORT, CA, USER, PASSWORD = ARGV
SECURED = { ssl_params: { ca_file: CA }, username: USER, timeout: 4 }.freeze

def open_one(password = PASSWORD)
  Redis.new(host: HOST, port: PORT.to_i, ssl: true, password: password, **SECURED)
end

def open_cluster(password = PASSWORD)
  Redis.new(cluster: ["rediss://#{HOST}:#{PORT}"], password: password, **SECURED)
end

ONE = open_one
CLUSTER = open_cluster

def check(what, actual, expected)
  raise "#{what} is #{actual.inspect}, not #{expected.inspect}" unless actual == expected
end

def set_and_get(client)
  KEYS.times { |i| check("set", client.set("key#{i}", "value#{i}"), "OK") }
  KEYS.times { |i| check("key#{i}", client.get("key#{i}"), "value#{i}") }
  check("ttl", [client.set("short", "lived", ex: 100), client.ttl("short").between?(90, 100)], ["OK", true])
  check("dbsize", client.dbsize, KEYS + 1)
end

def met
  yield
  "nothing"
rescue StandardError => e
  e.full_message(highlight: false)
end

def client_port(_)
  set_and_get(ONE)
  found = ONE.pipelined { |pipeline| KEYS.times { |i| pipeline.get("key#{i}") } }
  check("pipeline", found, Array.new(KEYS) { |i| "value#{i}" })
  check("transaction", ONE.multi { |all| all.incr("{user7}visits") }, [1])
  check("del", ONE.del("{user7}visits"), 1)
  check("scan", ONE.scan_each(match: "key*", count: 5).to_a.uniq.size, KEYS)
end

def cluster_mode(_)
  set_and_get(CLUSTER)
end

def reading(key)
  [met { ONE.get(key) }, met { CLUSTER.get(key) }]
end

def coming_with(password)
  [met { open_one(password).ping }, met { open_cluster(password).get("key") }]
end

STEPS = {
  "client-port" => :client_port, "cluster-mode" => :cluster_mode, "reading" => :reading, "coming-with" => :coming_with
}.freeze

def answer(value)
  puts value.to_json
  $stdout.flush
end

ONE.ping
answer({ ok: "connected" })
$stdin.each_line do |line|
  step, argument = line.split
  answer({ ok: send(STEPS.fetch(step), argument) })
rescue StandardError => e
  answer({ error: e.full_message(highlight: false) })
end
