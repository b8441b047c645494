package io.peft4j.core.peft.config;

/** The configuration of a method that adapts layers of the base. */
public interface PlacedConfig extends PeftConfig {
    /** Where the adapter's layers sit, and what is trained as a whole beside them. */
    Placement placement();

    /** The same with another placement. */
    static <C extends PlacedConfig> C with(C config, Placement placement) {
        return ConfigSchema.with(config, "placement", placement);
    }

    @Override
    default TargetModules targetModules() {
        return placement().targetModules();
    }
}
