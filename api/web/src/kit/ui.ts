/** The parts of Element Plus that are used, and no others: what is not here is not in the bundle. */

import type { App } from "vue";
import { ElAlert } from "element-plus/es/components/alert/index.mjs";
import { ElButton } from "element-plus/es/components/button/index.mjs";
import { ElCheckbox } from "element-plus/es/components/checkbox/index.mjs";
import { ElConfigProvider } from "element-plus/es/components/config-provider/index.mjs";
import { ElDialog } from "element-plus/es/components/dialog/index.mjs";
import { ElDrawer } from "element-plus/es/components/drawer/index.mjs";
import { ElDropdown, ElDropdownItem, ElDropdownMenu } from "element-plus/es/components/dropdown/index.mjs";
import { ElForm, ElFormItem } from "element-plus/es/components/form/index.mjs";
import { ElIcon } from "element-plus/es/components/icon/index.mjs";
import { ElInput } from "element-plus/es/components/input/index.mjs";
import { ElInputTag } from "element-plus/es/components/input-tag/index.mjs";
import { ElOption, ElSelect } from "element-plus/es/components/select/index.mjs";
import { ElProgress } from "element-plus/es/components/progress/index.mjs";
import { ElRadioButton, ElRadioGroup } from "element-plus/es/components/radio/index.mjs";
import { ElSkeleton } from "element-plus/es/components/skeleton/index.mjs";
import { ElSwitch } from "element-plus/es/components/switch/index.mjs";
import { ElTabPane, ElTabs } from "element-plus/es/components/tabs/index.mjs";
import { ElTag } from "element-plus/es/components/tag/index.mjs";
import { ElTooltip } from "element-plus/es/components/tooltip/index.mjs";
import "element-plus/es/components/alert/style/css.mjs";
import "element-plus/es/components/button/style/css.mjs";
import "element-plus/es/components/checkbox/style/css.mjs";
import "element-plus/es/components/dialog/style/css.mjs";
import "element-plus/es/components/drawer/style/css.mjs";
import "element-plus/es/components/dropdown/style/css.mjs";
import "element-plus/es/components/dropdown-item/style/css.mjs";
import "element-plus/es/components/dropdown-menu/style/css.mjs";
import "element-plus/es/components/form/style/css.mjs";
import "element-plus/es/components/form-item/style/css.mjs";
import "element-plus/es/components/icon/style/css.mjs";
import "element-plus/es/components/input/style/css.mjs";
import "element-plus/es/components/input-tag/style/css.mjs";
import "element-plus/es/components/message/style/css.mjs";
import "element-plus/es/components/message-box/style/css.mjs";
import "element-plus/es/components/option/style/css.mjs";
import "element-plus/es/components/progress/style/css.mjs";
import "element-plus/es/components/radio-button/style/css.mjs";
import "element-plus/es/components/radio-group/style/css.mjs";
import "element-plus/es/components/select/style/css.mjs";
import "element-plus/es/components/skeleton/style/css.mjs";
import "element-plus/es/components/switch/style/css.mjs";
import "element-plus/es/components/tab-pane/style/css.mjs";
import "element-plus/es/components/tabs/style/css.mjs";
import "element-plus/es/components/tag/style/css.mjs";
import "element-plus/es/components/tooltip/style/css.mjs";

const USED = [
  ElAlert,
  ElButton,
  ElCheckbox,
  ElConfigProvider,
  ElDialog,
  ElDrawer,
  ElDropdown,
  ElDropdownItem,
  ElDropdownMenu,
  ElForm,
  ElFormItem,
  ElIcon,
  ElInput,
  ElInputTag,
  ElOption,
  ElProgress,
  ElRadioButton,
  ElRadioGroup,
  ElSelect,
  ElSkeleton,
  ElSwitch,
  ElTabPane,
  ElTabs,
  ElTag,
  ElTooltip,
];

export function useParts(app: App): void {
  for (const part of USED) {
    app.component(part.name as string, part);
  }
}

export { ElMessage } from "element-plus/es/components/message/index.mjs";
export { ElMessageBox } from "element-plus/es/components/message-box/index.mjs";
