/**
 * Objects in a storage, and how they come here and go there. Open
 * {@link io.peft4j.cloud.storage.StoredFiles} first, then
 * {@link io.peft4j.cloud.storage.Transfer}.
 */
@io.peft4j.core.Internal
@org.jspecify.annotations.NullMarked
package io.peft4j.cloud.storage;
