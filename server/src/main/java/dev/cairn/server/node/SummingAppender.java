// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import ch.qos.logback.core.spi.AppenderAttachable;
import ch.qos.logback.core.spi.AppenderAttachableImpl;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Says what repeats once, and sums up the rest once a minute: {@code 312 more times in the last 60
 * s: ...}. Stands in {@code logback.xml} between the root and the appender that writes.
 *
 * <p>Events are of one kind when logger, level and message template are the same, numbers aside. Of
 * a kind of WARN or ERROR, each text is said once, and at most {@value #LOUD_TEXTS_MAX} texts: the
 * peers that go down, the partitions that stop. Of a kind of INFO or below, {@value #CALM_MAX}
 * events are said, equal or not, since most are changes of state. What else comes within {@value
 * #WINDOW_SECONDS} seconds is counted. While more comes, each further minute brings the sum only.
 * After a minute without more, the kind is forgotten and the next event is said at once.
 *
 * <p>Logback's DuplicateMessageFilter was rejected: it drops after a number for ever, and never
 * sums up.
 *
 * <p>Bounded: at most {@value #KINDS_MAX} kinds are remembered, each with the hashes of the texts
 * that were said; the kind whose minute began first gives way. Any thread.
 */
public final class SummingAppender extends UnsynchronizedAppenderBase<ILoggingEvent>
    implements AppenderAttachable<ILoggingEvent> {
  static final int WINDOW_SECONDS = 60;
  static final int KINDS_MAX = 512;
  static final int LOUD_TEXTS_MAX = 3;
  static final int CALM_MAX = 100;

  private static final int TEMPLATE_CHARACTERS_MAX = 200;
  private static final long WINDOW_NANOS = TimeUnit.SECONDS.toNanos(WINDOW_SECONDS);
  private static final int LOOK_EVERY_SECONDS = 5;

  private final AppenderAttachableImpl<ILoggingEvent> writers = new AppenderAttachableImpl<>();
  private final LongSupplier nanoTime;
  private final Map<Key, Kind> kinds = new LinkedHashMap<>(); // guarded by this
  private ScheduledFuture<?> looking; // of whoever starts and stops it

  private record Key(String logger, Level level, String template) {}

  /** What is remembered of a kind. */
  private static final class Kind {
    final Set<Integer> texts = new HashSet<>(); // hashes of those of WARN and ERROR that were said
    long sinceNanos;
    int said;
    int more;
    ILoggingEvent last; // of those that are not said

    Kind(long sinceNanos) {
      this.sinceNanos = sinceNanos;
    }
  }

  /** For Logback. */
  public SummingAppender() {
    this(System::nanoTime);
  }

  /**
   * @param nanoTime the monotonic clock: a wall clock that jumps makes no minute shorter
   */
  SummingAppender(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  @Override
  public void start() {
    looking =
        getContext()
            .getScheduledExecutorService()
            .scheduleWithFixedDelay(
                this::sumUp, LOOK_EVERY_SECONDS, LOOK_EVERY_SECONDS, TimeUnit.SECONDS);
    super.start();
  }

  /** Says what was only counted so far, and ends. */
  @Override
  public void stop() {
    if (!isStarted()) {
      return;
    }
    super.stop();
    looking.cancel(false);
    synchronized (this) {
      kinds.values().forEach(kind -> say(kind, nanoTime.getAsLong()));
      kinds.clear();
    }
    writers.detachAndStopAllAppenders();
  }

  @Override
  protected void append(ILoggingEvent event) {
    Key key = new Key(event.getLoggerName(), event.getLevel(), template(event.getMessage()));
    synchronized (this) {
      long now = nanoTime.getAsLong();
      Kind kind = kinds.get(key);
      if (kind != null && now - kind.sinceNanos >= WINDOW_NANOS && !goesOn(kind, now)) {
        kinds.remove(key);
        kind = null;
      }
      if (kind == null) {
        makeRoom(now);
        kind = new Kind(now);
        kinds.put(key, kind);
      }
      if (isNew(kind, event)) {
        kind.said++;
        writers.appendLoopOnAppenders(event);
      } else {
        event.prepareForDeferredProcessing();
        kind.more++;
        kind.last = event;
      }
    }
  }

  /** Sums up what is due. */
  synchronized void sumUp() {
    long now = nanoTime.getAsLong();
    kinds.values().removeIf(kind -> now - kind.sinceNanos >= WINDOW_NANOS && !goesOn(kind, now));
  }

  /** How many kinds are remembered. */
  synchronized int kinds() {
    return kinds.size();
  }

  /** At the end of a kind's minute: sums it up and begins another, if there was more. */
  private boolean goesOn(Kind kind, long now) {
    boolean more = kind.more > 0;
    say(kind, now);
    kind.sinceNanos = now;
    return more;
  }

  private static boolean isNew(Kind kind, ILoggingEvent event) {
    if (!event.getLevel().isGreaterOrEqual(Level.WARN)) {
      return kind.said < CALM_MAX;
    }
    return kind.texts.size() < LOUD_TEXTS_MAX && kind.texts.add(text(event).hashCode());
  }

  private void makeRoom(long now) {
    if (kinds.size() >= KINDS_MAX) {
      Iterator<Kind> eldest = kinds.values().iterator();
      say(eldest.next(), now);
      eldest.remove();
    }
  }

  private void say(Kind kind, long now) {
    if (kind.more == 0) {
      return;
    }
    long seconds = Math.max(1, TimeUnit.NANOSECONDS.toSeconds(now - kind.sinceNanos));
    String text =
        "%d more times in the last %d s: ".formatted(kind.more, seconds) + text(kind.last);
    LoggingEvent sum = copy(kind.last, text);
    writers.appendLoopOnAppenders(sum);
    kind.more = 0;
    kind.last = null;
  }

  /** An event of the same logger and thread, with another text and no stack trace. */
  private static LoggingEvent copy(ILoggingEvent event, String text) {
    LoggingEvent copy = new LoggingEvent();
    copy.setLoggerName(event.getLoggerName());
    copy.setLoggerContextRemoteView(event.getLoggerContextVO());
    copy.setThreadName(event.getThreadName());
    copy.setLevel(event.getLevel());
    copy.setMessage(text);
    copy.setMDCPropertyMap(event.getMDCPropertyMap());
    copy.setTimeStamp(System.currentTimeMillis());
    return copy;
  }

  private static String text(ILoggingEvent event) {
    IThrowableProxy thrown = event.getThrowableProxy();
    return thrown == null
        ? event.getFormattedMessage()
        : event.getFormattedMessage() + ": " + thrown.getClassName() + ": " + thrown.getMessage();
  }

  /** Without numbers, which libraries write into their messages without braces. */
  private static String template(String message) {
    String text = String.valueOf(message);
    return text.substring(0, Math.min(text.length(), TEMPLATE_CHARACTERS_MAX))
        .replaceAll("[0-9]+", "#");
  }

  // ---- Logback's way to name the appenders behind this one ----

  @Override
  public void addAppender(Appender<ILoggingEvent> writer) {
    writers.addAppender(writer);
  }

  @Override
  public Iterator<Appender<ILoggingEvent>> iteratorForAppenders() {
    return writers.iteratorForAppenders();
  }

  @Override
  public Appender<ILoggingEvent> getAppender(String name) {
    return writers.getAppender(name);
  }

  @Override
  public boolean isAttached(Appender<ILoggingEvent> writer) {
    return writers.isAttached(writer);
  }

  @Override
  public void detachAndStopAllAppenders() {
    writers.detachAndStopAllAppenders();
  }

  @Override
  public boolean detachAppender(Appender<ILoggingEvent> writer) {
    return writers.detachAppender(writer);
  }

  @Override
  public boolean detachAppender(String name) {
    return writers.detachAppender(name);
  }
}
