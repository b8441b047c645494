/**
 * What the server keeps: rows in a database, contents of files and adapters in folders. Begin with {@link
 * io.peft4j.serve.store.Store}.
 */
@io.peft4j.core.Internal
@org.jspecify.annotations.NullMarked
package io.peft4j.serve.store;
