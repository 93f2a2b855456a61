mod golden;
mod sdk;
