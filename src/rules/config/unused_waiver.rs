use crate::rules::Check;

pub(in crate::rules) const CHECK: Check = Check::WAIVERS;
