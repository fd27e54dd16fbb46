# SPDX-License-Identifier: Apache-2.0

# redis-rb's pipelines of all string and key commands: ruby pipelines.rb REDIS_PORT CAIRN_PORT.
#
# Each command is called between writes, all in one pipeline; what the library returns for redis-server and for a node
# must be equal. Prints what differs and ends with 1, or the number of calls and 0.

require "redis"

ROUNDS = 20
A, B, C = "{u}a", "{u}b", "{u}c"
AT = 4_102_444_800

CALLS = [
  [:get, A], [:getex, A], [:getex, A, { ex: 100_000 }], [:getex, A, { persist: true }], [:getdel, A],
  [:getset, A, "9"], [:set, A, "9", { nx: true }], [:set, A, "9", { get: true, px: 99_999_999 }],
  [:set, A, "9", { keepttl: true, xx: true }], [:setnx, A, "9"], [:setex, A, 100_000, "9"],
  [:psetex, A, 99_999_999, "9"], [:mget, A, B, C], [:mset, A, "1", C, "2"], [:msetnx, C, "1"],
  [:mapped_mget, A, B], [:mapped_mset, { A => "1", C => "2" }], [:mapped_msetnx, { C => "1" }],
  [:append, A, "9"], [:strlen, A], [:getrange, A, 0, -1], [:call, ["SUBSTR", A, 0, -1]], [:setrange, A, 3, "9"],
  [:incr, A], [:decr, A], [:incrby, A, 5], [:decrby, A, 5], [:incrbyfloat, A, 0.5], [:call, ["LCS", A, B]],
  [:setbit, A, 7, 1], [:getbit, A, 7], [:bitcount, A], [:bitpos, A, 1], [:bitop, "XOR", C, A, B],
  [:call, ["BITFIELD", A, "GET", "u8", 0]], [:call, ["BITFIELD", A, "INCRBY", "u8", 0, 1]],
  [:call, ["BITFIELD_RO", A, "GET", "u8", 0]], [:del, A, C], [:unlink, A], [:exists, A, B, A], [:exists?, A],
  [:call, ["TOUCH", A, B]], [:type, A], [:copy, A, C], [:object, "ENCODING", A], [:object, "REFCOUNT", C],
  [:persist, A], [:expire, A, 100_000], [:pexpire, A, 99_999_999], [:expireat, A, AT], [:pexpireat, A, AT * 1000],
  [:ttl, A], [:pttl, A], [:call, ["EXPIRETIME", A]], [:call, ["PEXPIRETIME", A]], [:dbsize], [:keys, "*"],
  [:call, ["MEMORY", "USAGE", A]], [:object, "IDLETIME", A], [:randomkey]
].freeze

# These need their key: a pipeline raises the first error of all.
ONLY_WITH_KEY = [[:rename, A, C], [:renamenx, A, C]].freeze

# How a server keeps a value, and which key it picks, is its own; that there is one is not.
OF_ITS_OWN = [:randomkey, :object, ["MEMORY", "USAGE", A]].freeze
TIMES = { ttl: 2, pttl: 2000 }.freeze

def call(pipeline, name, *arguments)
  if arguments.last.is_a?(Hash) && !name.to_s.start_with?("mapped")
    pipeline.public_send(name, *arguments[0..-2], **arguments.last)
  else
    pipeline.public_send(name, *arguments)
  end
end

def alike(call, expected, actual)
  return expected.sort == actual.sort if call[0] == :keys
  return expected.nil? == actual.nil? if OF_ITS_OWN.include?(call[0]) || OF_ITS_OWN.include?(call[1])
  return (expected - actual).abs <= TIMES[call[0]] if TIMES.key?(call[0]) && expected >= 0

  expected == actual
end

steps = CALLS.flat_map { |each| [[:set, A, "5"], each, [:mset, A, "6", B, "7"], each, [:del, A, B, C], each] }
steps += ONLY_WITH_KEY.flat_map { |each| [[:set, A, "5"], each, [:mget, A, C], [:del, A, C]] }

ports = ARGV.map { |port| Redis.new(port: port.to_i, timeout: 30) }
different = 0
ROUNDS.times do
  expected, actual = ports.map { |redis| redis.pipelined { |pipeline| steps.each { |each| call(pipeline, *each) } } }
  steps.each_index do |i|
    next if alike(steps[i], expected[i], actual[i])

    different += 1
    puts "#{i}: #{steps[i].inspect} redis #{expected[i].inspect} cairn #{actual[i].inspect}"
  end
end
puts "#{ROUNDS * steps.size} calls"
exit different.zero? ? 0 : 1
