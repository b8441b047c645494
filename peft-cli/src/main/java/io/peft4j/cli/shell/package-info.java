/** What JShell has besides the packages of PEFT4J: {@link io.peft4j.cli.shell.Show} draws and opens. */
package io.peft4j.cli.shell;
