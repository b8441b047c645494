/**
 * Finds a model by what a user types: a hub ID, a folder or a GGUF file. Open {@link io.peft4j.models.hub.ModelLocator}
 * first; what it gives back is a {@link io.peft4j.models.hub.ModelSource}.
 *
 * <p>The cache is the one of Python's huggingface_hub, shared in both directions. {@code HubCache} knows its layout,
 * {@code HubClient} speaks to the hub, {@code HubSource} brings a snapshot of a model into the cache, and
 * {@code PipModelSource} replaces the hub where none is reached.
 */
@io.peft4j.core.Internal(shared = true)
@org.jspecify.annotations.NullMarked
package io.peft4j.models.hub;
