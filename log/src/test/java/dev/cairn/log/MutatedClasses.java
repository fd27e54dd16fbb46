// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/**
 * The module's classes with one place of one source file changed, and its tests' classes on top of
 * them, in a class loader of their own.
 */
final class MutatedClasses extends ClassLoader {
  private static final Path SOURCES = Path.of("src/main/java/dev/cairn/log");

  private final Map<String, byte[]> compiled;

  private MutatedClasses(Map<String, byte[]> compiled) {
    super(MutatedClasses.class.getClassLoader());
    this.compiled = compiled;
  }

  /**
   * Compiles the module with a change.
   *
   * @param file its name without folder
   * @param original must stand in it exactly once
   * @param replacement what takes its place
   */
  static MutatedClasses with(String file, String original, String replacement) throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    Map<String, byte[]> compiled = new HashMap<>();
    try (JavaFileManager files = inMemory(compiler, compiled)) {
      List<String> options = List.of("-proc:none", "-nowarn", "-g");
      List<JavaFileObject> sources = sources(file, original, replacement);
      if (!compiler.getTask(null, files, null, options, null, sources).call()) {
        throw new AssertionError("the change in " + file + " does not compile");
      }
    }
    return new MutatedClasses(compiled);
  }

  private static List<JavaFileObject> sources(String file, String original, String replacement)
      throws IOException {
    List<JavaFileObject> sources = new ArrayList<>();
    boolean found = false;
    try (Stream<Path> all = Files.list(SOURCES)) {
      for (Path path : all.sorted().toList()) {
        String text = Files.readString(path);
        if (path.endsWith(file)) {
          found = true;
          text = changed(file, text, original, replacement);
        }
        sources.add(source(path, text));
      }
    }
    if (!found) {
      throw new AssertionError("there is no " + file);
    }
    return sources;
  }

  private static String changed(String file, String text, String original, String replacement) {
    int at = text.indexOf(original);
    if (at < 0 || text.indexOf(original, at + 1) >= 0) {
      throw new AssertionError(file + " must have exactly once: " + original);
    }
    return text.replace(original, replacement);
  }

  private static JavaFileObject source(Path path, String text) {
    URI name = URI.create("string:///" + path.getFileName());
    return new SimpleJavaFileObject(name, JavaFileObject.Kind.SOURCE) {
      @Override
      public CharSequence getCharContent(boolean ignoreEncodingErrors) {
        return text;
      }
    };
  }

  private static JavaFileManager inMemory(JavaCompiler compiler, Map<String, byte[]> compiled) {
    return new ForwardingJavaFileManager<>(compiler.getStandardFileManager(null, null, null)) {
      @Override
      public JavaFileObject getJavaFileForOutput(
          Location location, String name, JavaFileObject.Kind kind, FileObject sibling) {
        URI place = URI.create("memory:///" + name.replace('.', '/'));
        return new SimpleJavaFileObject(place, kind) {
          @Override
          public ByteArrayOutputStream openOutputStream() {
            return new ByteArrayOutputStream() {
              @Override
              public void close() {
                compiled.put(name, toByteArray());
              }
            };
          }
        };
      }
    };
  }

  /** The module's classes and its tests' are this loader's; all else is the parent's. */
  @Override
  protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
    synchronized (getClassLoadingLock(name)) {
      Class<?> loaded = findLoadedClass(name);
      if (loaded != null) {
        return loaded;
      }
      byte[] code = name.startsWith("dev.cairn.log.") ? codeOf(name) : null;
      return code == null
          ? super.loadClass(name, resolve)
          : defineClass(name, code, 0, code.length);
    }
  }

  private byte[] codeOf(String name) {
    byte[] code = compiled.get(name);
    if (code != null) {
      return code;
    }
    try (InputStream in = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
      return in == null ? null : in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
