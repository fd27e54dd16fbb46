// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.access;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The audit log of a node: {@code audit.log} in its data folder, a JSON object a line ({@code
 * docs/reference/formats.md} has its grammar), readable by the node's account only.
 *
 * <p>Bounds: {@value #WAITING_MAX} events wait to be written. A file has at most {@value
 * #FILE_BYTES_MAX} bytes; then it becomes {@code audit.log.1} and so on, and of {@value #FILES_MAX}
 * files the oldest goes. Logins and refusals that are the same but for their time are one line at
 * once and one a minute with their number. Past {@value #SUMMED_MAX} different ones in a minute the
 * rest are counted together: nobody pushes the others out by asking again and again, whatever the
 * names and keys.
 *
 * <p>Invariants:
 *
 * <ol>
 *   <li>Whoever adds an event waits for nothing.
 *   <li>An event is in the file, synced, or counted as lost; the next line that can be written says
 *       how many were.
 *   <li>A file ends with a whole line.
 * </ol>
 *
 * <p>Threads: {@link #add} and the counters any; one of its own writes.
 */
public final class AuditLog implements Audit, AutoCloseable {
  /** The newest file. */
  public static final String FILE = "audit.log";

  static final int WAITING_MAX = 8_192;
  static final int FILE_BYTES_MAX = 16 << 20;
  static final int FILES_MAX = 5;
  static final int SUMMED_MAX = 256;

  /** For so long after the last loss it is a problem of the node. */
  static final long LOSS_TOLD_MILLIS = TimeUnit.MINUTES.toMillis(10);

  /** What those are called that are not told of one by one. */
  private static final String OTHERS = "others: too many different ones within a minute";

  private static final int BATCH_MAX = 1_024;
  private static final int TEXT_CHARACTERS_MAX = 1_024;
  private static final long SUMMED_MILLIS = TimeUnit.MINUTES.toMillis(1);
  private static final long LOOK_MILLIS = 200;
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Logger log = LoggerFactory.getLogger(AuditLog.class);
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

  private final Path file;
  private final String node;
  private final LongSupplier clock;
  private final int fileBytesMax;
  private final ArrayBlockingQueue<Stamped> waiting = new ArrayBlockingQueue<>(WAITING_MAX);
  private final AtomicLong lost = new AtomicLong();
  private final Thread thread;
  private volatile long lostAtMillis; // written after lost; 0: never
  private volatile boolean stopping;
  private final Map<Event, Summed> summed = new LinkedHashMap<>(); // the thread's, as all below
  private FileChannel channel; // null: it could not be opened, or was rotated away
  private long lostTold;

  private record Stamped(Event event, long atMillis) {}

  /** How often an event came again since its line was written. */
  private static final class Summed {
    private final long firstMillis;
    private long lastMillis;
    private long again;

    private Summed(long firstMillis) {
      this.firstMillis = firstMillis;
    }
  }

  private AuditLog(Path file, String node, LongSupplier clock, int fileBytesMax) {
    this.file = file;
    this.node = node;
    this.clock = clock;
    this.fileBytesMax = fileBytesMax;
    this.thread = new Thread(this::run, "audit");
    this.thread.setDaemon(true);
  }

  /**
   * Goes on with the file of a folder, or begins it. One that cannot be written now is tried again
   * with each line: a node whose audit fails serves on, and says so.
   *
   * @param node the name of the node, which stands in each line
   */
  public static AuditLog open(Path folder, String node) {
    return open(folder, node, System::currentTimeMillis, FILE_BYTES_MAX);
  }

  static AuditLog open(Path folder, String node, LongSupplier clock, int fileBytesMax) {
    AuditLog opened = new AuditLog(folder.resolve(FILE), node, clock, fileBytesMax);
    opened.thread.start();
    return opened;
  }

  @Override
  public void add(Event event) {
    if (!waiting.offer(new Stamped(event, clock.getAsLong()))) {
      lose(1);
    }
  }

  /** How many events are in no line. */
  public long lost() {
    return lost.get();
  }

  /** Whether events were lost within the last minutes. */
  public boolean losesEvents() {
    long at = lostAtMillis;
    return at != 0 && clock.getAsLong() - at < LOSS_TOLD_MILLIS;
  }

  private void lose(long events) {
    lost.addAndGet(events);
    lostAtMillis = clock.getAsLong();
  }

  /** Writes what waits, and no more. */
  @Override
  public void close() {
    stopping = true;
    try {
      thread.join(TimeUnit.SECONDS.toMillis(5));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    List<Stamped> batch = new ArrayList<>();
    boolean more = true;
    while (more) {
      more = !stopping;
      Stamped first = poll();
      if (first != null) {
        batch.add(first);
        waiting.drainTo(batch, BATCH_MAX - 1);
        more = true;
      }
      List<String> lines = new ArrayList<>();
      batch.forEach(one -> take(one, lines));
      batch.clear();
      sumUp(more ? clock.getAsLong() - SUMMED_MILLIS : Long.MAX_VALUE, lines);
      write(lines);
    }
    closeFile();
  }

  private Stamped poll() {
    try {
      return stopping ? waiting.poll() : waiting.poll(LOOK_MILLIS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      stopping = true;
      return null;
    }
  }

  private void take(Stamped one, List<String> lines) {
    Kind kind = one.event().kind();
    if (kind != Kind.LOGIN && kind != Kind.REFUSAL) {
      lines.add(line(one.event(), one.atMillis(), 0, 0));
      return;
    }
    boolean full = summed.size() >= SUMMED_MAX && !summed.containsKey(one.event());
    Event event = full ? new Event(kind, one.event().outcome(), "", "", OTHERS) : one.event();
    Summed known = summed.get(event);
    if (known == null) {
      lines.add(line(event, one.atMillis(), 0, 0));
      summed.put(event, new Summed(one.atMillis()));
    } else {
      known.again++;
      known.lastMillis = one.atMillis();
    }
  }

  /** Writes how often what began before a time came again. The eldest stand first. */
  private void sumUp(long beganUntilMillis, List<String> lines) {
    Iterator<Map.Entry<Event, Summed>> eldest = summed.entrySet().iterator();
    while (eldest.hasNext()) {
      Map.Entry<Event, Summed> one = eldest.next();
      if (one.getValue().firstMillis > beganUntilMillis) {
        return;
      }
      tell(one, lines);
      eldest.remove();
    }
  }

  private void tell(Map.Entry<Event, Summed> one, List<String> lines) {
    Summed times = one.getValue();
    if (times.again > 0) {
      lines.add(line(one.getKey(), times.lastMillis, times.again, times.firstMillis));
    }
  }

  /**
   * A line.
   *
   * @param again how often it came since a line told of it; 0: this line is of one
   */
  private String line(Event event, long atMillis, long again, long sinceMillis) {
    ObjectNode line = begun(event.kind().lowerName(), atMillis);
    line.put("outcome", event.outcome().name().toLowerCase(Locale.ROOT))
        .put("user", text(event.user()))
        .put("from", event.from())
        .put("what", text(event.what()));
    if (again > 0) {
      line.put("again", again).put("since", TIME.format(Instant.ofEpochMilli(sinceMillis)));
    }
    return line.toString();
  }

  private ObjectNode begun(String event, long atMillis) {
    return JSON.createObjectNode()
        .put("time", TIME.format(Instant.ofEpochMilli(atMillis)))
        .put("node", node)
        .put("event", event);
  }

  /** Names and keys are any bytes. */
  private static String text(String bytes) {
    String shown = bytes.substring(0, Math.min(bytes.length(), TEXT_CHARACTERS_MAX));
    return new String(shown.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
  }

  private void write(List<String> lines) {
    long lostNow = lost.get();
    if (lostNow > lostTold) {
      lines.add(begun("lost", clock.getAsLong()).put("events", lostNow - lostTold).toString());
    }
    if (lines.isEmpty()) {
      return;
    }
    try {
      append((String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8));
      lostTold = lostNow;
    } catch (IOException e) {
      lose(lostNow > lostTold ? lines.size() - 1 : lines.size());
      log.warn("the audit log {} cannot be written: {}", file, e.toString());
      closeFile();
    }
  }

  private void append(byte[] bytes) throws IOException {
    if (channel == null) {
      channel = openFile();
    }
    long before = channel.size();
    if (before > 0 && before + bytes.length > fileBytesMax) {
      rotate();
      before = 0;
    }
    try {
      ByteBuffer left = ByteBuffer.wrap(bytes);
      while (left.hasRemaining()) {
        channel.write(left);
      }
      channel.force(false);
    } catch (IOException e) {
      channel.truncate(before);
      throw e;
    }
  }

  private FileChannel openFile() throws IOException {
    FileChannel opened = FileChannel.open(file, options(), attributes());
    endWholeLine(opened);
    return opened;
  }

  /** A node that was killed may have left a part of a line. */
  private static void endWholeLine(FileChannel opened) throws IOException {
    long size = opened.size();
    int look = (int) Math.min(size, FILE_BYTES_MAX);
    ByteBuffer end = ByteBuffer.allocate(look);
    while (end.hasRemaining() && opened.read(end, size - look + end.position()) >= 0) {
      // reads on
    }
    int whole = look;
    while (whole > 0 && end.get(whole - 1) != '\n') {
      whole--;
    }
    opened.truncate(size - look + whole);
    opened.position(size - look + whole);
  }

  private static Set<StandardOpenOption> options() {
    return Set.of(StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  private static FileAttribute<?>[] attributes() {
    return FileSystems.getDefault().supportedFileAttributeViews().contains("posix")
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
        }
        : new FileAttribute<?>[0];
  }

  private void rotate() throws IOException {
    closeFile();
    for (int i = FILES_MAX - 1; i > 0; i--) {
      Path older = i == 1 ? file : file.resolveSibling(FILE + "." + (i - 1));
      if (Files.exists(older)) {
        Files.move(older, file.resolveSibling(FILE + "." + i), StandardCopyOption.REPLACE_EXISTING);
      }
    }
    channel = openFile();
  }

  private void closeFile() {
    try {
      if (channel != null) {
        channel.close();
      }
    } catch (IOException e) {
      log.warn("the audit log {} did not close: {}", file, e.toString());
    }
    channel = null;
  }
}
