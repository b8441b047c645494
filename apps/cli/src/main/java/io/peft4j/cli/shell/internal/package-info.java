/** What JShell has besides the packages of PEFT4J: {@link io.peft4j.cli.shell.internal.Show} asks, draws and opens. */
@org.jspecify.annotations.NullMarked
package io.peft4j.cli.shell.internal;
