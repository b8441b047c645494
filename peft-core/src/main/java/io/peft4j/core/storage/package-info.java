/** Models and data that lie elsewhere: {@link io.peft4j.core.storage.RemoteFiles} brings them here, and back. */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.storage;
