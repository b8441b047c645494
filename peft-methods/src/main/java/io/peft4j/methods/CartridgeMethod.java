package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import java.util.stream.IntStream;

/** Cartridges; {@link CartridgeConfig} says what they compute. */
@Internal
public final class CartridgeMethod extends ConfiguredMethod<CartridgeConfig> {
    @Override
    protected Adapter adapter(CartridgeConfig config, AdapterSetup setup) {
        TokenSizes.requireNoEncoder(setup);
        VirtualTokens tokens = TokenSizes.ofPrefix(config.virtualTokens(), setup);
        double[] distances = IntStream.range(0, tokens.count())
                .mapToDouble(i -> i < config.frozenTokens() ? 0 : Double.POSITIVE_INFINITY).toArray();
        VirtualSource source = new GuardedTokens(setup, Initializer.normal(1),
                PrefixTuningMethod.columns(tokens, setup), false, distances);
        return PrefixTuningMethod.prefix(setup.isRestoring() ? config
                : config.toBuilder().virtualTokens(tokens).build(), setup, tokens, source);
    }
}
