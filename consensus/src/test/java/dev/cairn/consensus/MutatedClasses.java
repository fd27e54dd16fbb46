// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

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
 * A module's classes with one source file changed, and all other classes of ours on top of them, in
 * a class loader of their own.
 */
public final class MutatedClasses extends ClassLoader {
  private final Map<String, byte[]> compiled;

  private MutatedClasses(Map<String, byte[]> compiled) {
    super(MutatedClasses.class.getClassLoader());
    this.compiled = compiled;
  }

  /**
   * Compiles a package with a change.
   *
   * @param folder of the package's sources
   * @param file its name without folder
   * @param changes pairs: what must stand in the file exactly once, and what takes its place
   */
  public static MutatedClasses with(Path folder, String file, String... changes)
      throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    Map<String, byte[]> compiled = new HashMap<>();
    try (JavaFileManager files = inMemory(compiler, compiled)) {
      List<String> options = List.of("-proc:none", "-nowarn", "-g");
      List<JavaFileObject> sources = sources(folder, file, changes);
      if (!compiler.getTask(null, files, null, options, null, sources).call()) {
        throw new AssertionError("the change in " + file + " does not compile");
      }
    }
    return new MutatedClasses(compiled);
  }

  private static List<JavaFileObject> sources(Path folder, String file, String... changes)
      throws IOException {
    List<JavaFileObject> sources = new ArrayList<>();
    boolean found = false;
    try (Stream<Path> all = Files.list(folder)) {
      for (Path path : all.filter(each -> each.toString().endsWith(".java")).sorted().toList()) {
        String text = Files.readString(path);
        if (path.endsWith(file)) {
          found = true;
          for (int i = 0; i < changes.length; i += 2) {
            text = changed(file, text, changes[i], changes[i + 1]);
          }
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

  /** All classes of ours are this loader's; all else is the parent's. */
  @Override
  protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
    synchronized (getClassLoadingLock(name)) {
      Class<?> loaded = findLoadedClass(name);
      if (loaded == null) {
        byte[] code = name.startsWith("dev.cairn.") ? codeOf(name) : null;
        if (code == null) {
          return super.loadClass(name, resolve);
        }
        loaded = defineClass(name, code, 0, code.length);
      }
      return loaded;
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
